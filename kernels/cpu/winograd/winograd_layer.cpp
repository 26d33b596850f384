#include "kernels/cpu/conv_plans.hpp"

#include <omp.h>

#include <algorithm>
#include <limits>

namespace hacscale::cpu {
namespace {

TensorView view_of(const TensorShape& shape) {
    const bool blocked = shape.order == TensorShape::Order::blocked;
    TensorView view;
    view.channels = shape.channels;
    view.height = shape.height;
    view.width = shape.width;
    view.block = blocked ? shape.block : shape.channels;
    view.pixel = view.block;
    view.block_stride = blocked ? static_cast<std::ptrdiff_t>(shape.height) * shape.width * shape.block : 0;
    view.image = static_cast<std::ptrdiff_t>(shape.elements() / shape.batch);
    return view;
}

bool fits(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    return layer.window.is_square() && layer.kernel() == 3 && layer.stride() == 1 && layer.groups == 1 &&
           layer.padding() <= 1 && context.type == DataType::f32 &&
           context.input.order != TensorShape::Order::plain;
}

// Where the activation clips, if that is all it does.
bool set_range(Activation activation, WinogradConv& conv) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    conv.low = activation == Activation::none ? -infinity : 0.0F;
    conv.high = activation == Activation::relu6 ? 6.0F : infinity;
    return activation == Activation::none || activation == Activation::relu ||
           activation == Activation::relu6;
}

// As many tiles as keep their transformed inputs in half of a core's private cache, in whole groups of rows,
// and all threads at work.
int tiles_a_block(const WinogradConv& conv, const WinogradKernels& kernels) {
    const std::size_t points = static_cast<std::size_t>(conv.outputs + 2) * (conv.outputs + 2);
    const std::size_t tile_bytes = points * (conv.in.channels + kernels.panel_channels) * sizeof(float);
    const std::size_t cache = private_cache_bytes() / conv.threads;
    const int fitting = static_cast<int>(std::max<std::size_t>(cache / 2 / tile_bytes, 1));
    const int whole = std::max(fitting / kernels.rows, 1) * kernels.rows;
    return std::min(whole, std::max(1, (tiles_of(conv) + conv.threads - 1) / conv.threads));
}

class WinogradLayer final : public CpuLayer {
public:
    WinogradLayer(const LayerContext& context, const WinogradPlan& plan)
        : plan_(plan),
          weights_(context.pool->take(packed_weights(plan.conv, *plan.kernels) * sizeof(float))),
          bias_(context.pool->take(bias_count() * sizeof(float))) {}

    void load(const LayerWeights& weights) override {
        pack_winograd_weights(plan_.conv, *plan_.kernels, weights.weights,
                              reinterpret_cast<float*>(weights_.data()));
        std::fill_n(bias(), bias_count(), 0.0F);
        std::copy(weights.bias.begin(), weights.bias.end(), bias());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        input_ = reinterpret_cast<const float*>(inputs.front());
        output_ = reinterpret_cast<float*>(output);
        scratch_ = reinterpret_cast<float*>(scratch);
    }
    void execute() override {
        plan_.kernels->run(plan_.conv, input_, reinterpret_cast<const float*>(weights_.data()), bias(),
                           output_, scratch_);
    }
    std::size_t scratch_bytes() const override {
        return scratch_floats(plan_.conv, *plan_.kernels) * sizeof(float);
    }
    std::string implementation() const override { return plan_.name(); }
    std::span<const std::byte> weights() const override { return weights_; }

private:
    std::size_t bias_count() const {
        const int panel = plan_.kernels->panel_channels;
        return static_cast<std::size_t>((plan_.conv.out.channels + panel - 1) / panel) * panel;
    }
    float* bias() { return reinterpret_cast<float*>(bias_.data()); }

    WinogradPlan plan_;
    std::span<std::byte> weights_;
    std::span<std::byte> bias_;
    const float* input_ = nullptr;
    float* output_ = nullptr;
    float* scratch_ = nullptr;
};

}  // namespace

std::string WinogradPlan::name() const {
    const std::string size = conv.outputs == 4 ? "4x4" : "2x2";
    return "hacscale:winograd_" + size + (conv.share_channels ? "_channels:" : ":") + kernels->name;
}

std::optional<WinogradPlan> winograd_plan(const LayerContext& context, const WinogradKernels& kernels,
                                          int outputs, bool share_channels) {
    if (!fits(context)) return std::nullopt;
    WinogradPlan plan{{}, &kernels};
    WinogradConv& conv = plan.conv;
    if (!set_range(context.layer.activation, conv)) return std::nullopt;
    conv.batch = context.batch;
    conv.padding = context.layer.padding();
    conv.outputs = outputs;
    conv.in = view_of(context.input);
    conv.out = view_of(context.output);
    conv.add_to_output = context.layer.residual;
    conv.threads = omp_get_max_threads();
    conv.share_channels = share_channels;
    conv.tiles_a_block = tiles_a_block(conv, *plan.kernels);
    return plan;
}

std::unique_ptr<CpuLayer> make_winograd(const LayerContext& context, const WinogradPlan& plan) {
    return std::make_unique<WinogradLayer>(context, plan);
}

}  // namespace hacscale::cpu
