#include "kernels/cpu/conv_plans.hpp"

#include <algorithm>

#include "kernels/cpu/detail/primitive_layer.hpp"
#include "kernels/cpu/silu.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;
using onednn::convolution_forward;
using ConvDesc = convolution_forward::primitive_desc;

// The input as oneDNN is told of it. Its AVX-512 kernels for blocked tensors do not take fewer input channels
// than a block has: it would run a dense conv of 8 channels by its reference kernel, hundreds of times
// slower. The rest of the block holds zeros, so it is passed off as channels whose weights are zero.
TensorShape told_input(const LayerContext& context) {
    TensorShape input = context.input;
    if (input.order == TensorShape::Order::blocked && context.layer.groups == 1)
        input.channels = std::max(input.channels, block_channels);
    return input;
}

memory::dims conv_weight_dims(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const memory::dim g = layer.groups;
    const memory::dim out = layer.out_channels;
    const memory::dim in = told_input(context).channels;
    if (g == 1) return {out, in, layer.kernel, layer.kernel};
    return {g, out / g, in / g, layer.kernel, layer.kernel};
}

// oneDNN lists, after its optimised kernels, slow general ones and those of older instruction sets.
bool last_resort(const std::string& name) {
    return name.find("ref") != std::string::npos || name.find("gemm:") != std::string::npos ||
           name.find("sse41") != std::string::npos;
}

// Another layer, but for what a derived class does differently.
class LayerAround : public CpuLayer {
public:
    explicit LayerAround(std::unique_ptr<CpuLayer> inner) : inner_(std::move(inner)) {}
    void load(const LayerWeights& weights) override { inner_->load(weights); }
    void bind(const std::byte* input, std::byte* output, std::byte* scratch) override {
        inner_->bind(input, output, scratch);
    }
    void execute() override { inner_->execute(); }
    std::size_t scratch_bytes() const override { return inner_->scratch_bytes(); }
    std::string implementation() const override { return inner_->implementation(); }
    std::span<const std::byte> weights() const override { return inner_->weights(); }

private:
    std::unique_ptr<CpuLayer> inner_;
};

// The conv without its SiLU, and the SiLU after it.
class ConvThenSilu final : public LayerAround {
public:
    ConvThenSilu(std::unique_ptr<CpuLayer> conv, std::size_t outputs)
        : LayerAround(std::move(conv)), outputs_(outputs) {}
    void bind(const std::byte* input, std::byte* output, std::byte* scratch) override {
        LayerAround::bind(input, output, scratch);
        output_ = reinterpret_cast<float*>(output);
    }
    void execute() override {
        LayerAround::execute();
        silu_in_place(output_, outputs_);
    }
    std::string implementation() const override { return LayerAround::implementation() + silu_suffix; }

    static constexpr const char* silu_suffix = "+hacscale:silu";

private:
    std::size_t outputs_;
    float* output_ = nullptr;
};

// The conv with more input channels than the layer has; the weights of the others are zero.
class ConvOfMoreChannels final : public LayerAround {
public:
    ConvOfMoreChannels(std::unique_ptr<CpuLayer> conv, const LayerSpec& layer, int channels)
        : LayerAround(std::move(conv)),
          row_(static_cast<std::size_t>(layer.in_channels) * layer.kernel * layer.kernel),
          padded_row_(static_cast<std::size_t>(channels) * layer.kernel * layer.kernel) {}
    void load(const LayerWeights& weights) override {
        LayerWeights padded = weights;
        const std::size_t rows = weights.weights.size() / row_;
        padded.weights.assign(rows * padded_row_, 0.0F);
        for (std::size_t i = 0; i < rows; ++i)
            std::copy_n(weights.weights.data() + i * row_, row_, padded.weights.data() + i * padded_row_);
        LayerAround::load(padded);
    }

private:
    std::size_t row_;  // weights of one output channel
    std::size_t padded_row_;
};

// Every kernel that oneDNN offers for the layer with one algorithm, in its order.
void append_plans(const LayerContext& context, dnnl::algorithm algorithm, bool silu_after,
                  std::vector<ConvPlan>& plans) {
    const LayerSpec& layer = context.layer;
    const memory::desc weights(conv_weight_dims(context), dnnl_type(context.type), memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc no_bias;
    const memory::dims strides{layer.stride, layer.stride};
    const memory::dims padding{layer.padding, layer.padding};
    // The far side is padded no further than the last window reaches, as oneDNN checks the sizes exactly.
    const auto far = [&](int in, int out) {
        return memory::dim{(out - 1) * layer.stride + layer.kernel - in - layer.padding};
    };
    const memory::dims far_padding{far(layer.in_height, layer.out_height()),
                                   far(layer.in_width, layer.out_width())};

    onednn::post_ops post_ops;
    if (layer.residual) post_ops.append_sum(1.0F);
    if (!silu_after) append_activation(post_ops, layer.activation);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post_ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    try {
        ConvDesc plan(engine(), dnnl::prop_kind::forward_inference, algorithm,
                      dnnl_desc(told_input(context), context.type), weights, layer.bias ? bias : no_bias,
                      dnnl_desc(context.output, context.type), strides, padding, far_padding, attributes,
                      /*allow_empty=*/true);
        if (!plan) return;
        do {
            plans.push_back({plan, silu_after});
        } while (plan.next_impl());
    } catch (const dnnl::error& error) {
        // A combination that the algorithm does not have at all; the other one may have it.
        if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
    }
}

// The library lists its kernels from the newest instruction set down: only the first few are worth timing.
void keep_first(std::vector<ConvPlan>& plans, std::size_t count) {
    if (plans.size() > count) plans.erase(plans.begin() + static_cast<std::ptrdiff_t>(count), plans.end());
}

}  // namespace

std::string ConvPlan::name() const {
    std::string name = primitive.impl_info_str();
    if (silu_after) name += ConvThenSilu::silu_suffix;
    return name;
}

ConvPlans conv_plans(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    // Depthwise and first-layer shapes gain nothing from Winograd, and its bf16 form loses digits.
    const bool winograd = layer.kernel == 3 && layer.stride == 1 && layer.groups == 1 &&
                          layer.in_channels >= block_channels && context.type == DataType::f32;
    const bool silu = layer.activation == Activation::silu && context.type == DataType::f32;
    ConvPlans sorted;
    for (const bool silu_after : {false, true}) {
        if (silu_after && !silu) continue;
        std::vector<ConvPlan> direct;
        append_plans(context, dnnl::algorithm::convolution_direct, silu_after, direct);
        std::vector<ConvPlan> good;
        for (const ConvPlan& plan : direct) {
            (last_resort(plan.name()) ? sorted.last_resorts : good).push_back(plan);
        }
        keep_first(good, silu_after ? 2 : 4);
        if (winograd) append_plans(context, dnnl::algorithm::convolution_winograd, silu_after, good);
        sorted.good.insert(sorted.good.end(), good.begin(), good.end());
    }
    if (sorted.good.empty() && sorted.last_resorts.empty()) {
        throw UnsupportedLayer("oneDNN has no convolution for " + layer.key());
    }
    return sorted;
}

std::unique_ptr<CpuLayer> build(const LayerContext& context, const ConvPlan& plan) {
    const LayerSpec& layer = context.layer;
    const auto plain = layer.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
    PrimitiveLayer::Weights weights{
        plan.primitive.weights_desc(), {conv_weight_dims(context), memory::data_type::f32, plain}, {}};
    if (layer.bias) weights.bias = plan.primitive.bias_desc();
    std::unique_ptr<CpuLayer> conv =
        PrimitiveLayer::make<convolution_forward>(context, plan.primitive, weights);
    if (const int channels = told_input(context).channels; channels > layer.in_channels)
        conv = std::make_unique<ConvOfMoreChannels>(std::move(conv), layer, channels);
    if (!plan.silu_after) return conv;
    return std::make_unique<ConvThenSilu>(std::move(conv), context.output.elements());
}

}  // namespace hacscale::cpu
