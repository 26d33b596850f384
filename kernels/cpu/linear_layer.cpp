// Fully connected layer with bias and activation. One vector in f32 is a stream through the weights, which a
// hand-written kernel keeps going faster than a matrix product does; everything else is oneDNN's inner
// product.
#include <algorithm>

#include "kernels/cpu/channel_chunks.hpp"
#include "kernels/cpu/detail/primitive_layer.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;
using onednn::inner_product_forward;
using LinearDesc = inner_product_forward::primitive_desc;

memory::dims linear_weight_dims(const LayerSpec& layer) {
    return {layer.out_channels, layer.in_channels, layer.in_height, layer.in_width};
}

LinearDesc linear_plan(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    // Version 3.13 takes the weights of one output for channels-first ones where it may choose their order, and its integer kernel for
    // AVX2 those of any number.
    const bool maps = layer.in_height * layer.in_width > 1;
    const bool mistaken =
        maps && (layer.out_channels == 1 || (context.type == DataType::i8 && !onednn::has_wide_sums()));
    const memory::desc weights(linear_weight_dims(layer), dnnl_type(context.type),
                               mistaken ? memory::format_tag::ohwi : memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc output({context.batch, layer.out_channels},
                              dnnl_type(context.type, context.integers.output.element),
                              memory::format_tag::nc);
    LinearDesc plan(engine(), dnnl::prop_kind::forward_inference,
                    dnnl_desc(context.input, context.type, context.integers.input.element), weights,
                    layer.bias ? bias : memory::desc(), output, fused_attributes(context),
                    /*allow_empty=*/true);
    if (!plan) throw UnsupportedLayer("oneDNN has no inner product for " + layer.key());
    return plan;
}

class VectorLinearLayer final : public CpuLayer {
public:
    explicit VectorLinearLayer(const LayerContext& context)
        : layer_(context.layer),
          weights_(context.pool->take((matrix_count() + layer_.out_channels) * sizeof(float))) {}

    void load(const LayerWeights& weights) override {
        std::copy(weights.weights.begin(), weights.weights.end(), matrix());
        std::fill_n(bias(), layer_.out_channels, 0.0F);
        std::copy(weights.bias.begin(), weights.bias.end(), bias());
    }
    void bind(const InputPointers& inputs, std::byte* output, std::byte*) override {
        input_ = reinterpret_cast<const float*>(inputs.front());
        output_ = reinterpret_cast<float*>(output);
    }
    void execute() override {
        constexpr int rows = 4;
        const int groups = (layer_.out_channels + rows - 1) / rows;
#pragma omp parallel for schedule(static)
        for (int group = 0; group < groups; ++group) {
            // The last group ends at the last row, and may do a row again that its neighbour does too.
            const int first = std::max(0, std::min(group * rows, layer_.out_channels - rows));
            float sums[rows] = {};
            const int count = std::min(rows, layer_.out_channels);
            const float* matrix_row = matrix() + static_cast<std::size_t>(first) * layer_.in_channels;
            if (count == rows) {
                dot4(matrix_row, layer_.in_channels, input_, layer_.in_channels, sums);
            } else {
                for (int r = 0; r < count; ++r) {
                    sums[r] = dot(matrix_row + static_cast<std::size_t>(r) * layer_.in_channels, input_,
                                  layer_.in_channels);
                }
            }
            // Only the rows of this group are written, so that no two threads write one place.
            for (int r = group * rows - first; r < count; ++r) {
                output_[first + r] = activate(activation_of(layer_), sums[r] + bias()[first + r]);
            }
        }
    }
    std::string implementation() const override {
        return "hacscale:vector_linear";
    }
    std::span<const std::byte> weights() const override {
        return weights_;
    }

private:
    std::size_t matrix_count() const {
        return static_cast<std::size_t>(layer_.out_channels) * layer_.in_channels;
    }
    float* matrix() {
        return reinterpret_cast<float*>(weights_.data());
    }
    float* bias() {
        return matrix() + matrix_count();
    }

    LayerSpec layer_;
    std::span<std::byte> weights_;
    const float* input_ = nullptr;
    float* output_ = nullptr;
};

}  // namespace

std::unique_ptr<CpuLayer> make_linear(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    if (context.type == DataType::f32 && context.batch == 1 && layer.in_height == 1 && layer.in_width == 1) {
        return std::make_unique<VectorLinearLayer>(context);
    }
    return checked("compiling " + layer.key(), [&] {
        const LinearDesc plan = linear_plan(context);
        PrimitiveLayer::Weights weights{
            plan.weights_desc(),
            {linear_weight_dims(layer), memory::data_type::f32, memory::format_tag::oihw},
            {}};
        if (layer.bias) weights.bias = plan.bias_desc();
        if (context.type == DataType::i8) weights.integers = integer_scales(context);
        return PrimitiveLayer::make<inner_product_forward>(context, plan, weights);
    });
}

}  // namespace hacscale::cpu
