// Transposed convolution: oneDNN's deconvolution, and the activation behind it by a kernel of this folder, because oneDNN would
// apply it element by element.
#include <utility>

#include "kernels/cpu/detail/onednn.hpp"
#include "kernels/cpu/detail/primitive_layer.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;
using onednn::deconvolution_forward;
using DeconvolutionDesc = deconvolution_forward::primitive_desc;

memory::dims transposed_weight_dims(const LayerSpec& layer) {
    const auto& [height, width] = layer.window.kernel;
    if (layer.groups == 1) return {layer.out_channels, layer.in_channels, height, width};
    return {layer.groups, layer.out_channels / layer.groups, layer.in_channels / layer.groups, height, width};
}

DeconvolutionDesc deconvolution_plan(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const Window& window = layer.window;
    const memory::desc weights(transposed_weight_dims(layer), dnnl_type(context.type),
                               memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    DeconvolutionDesc plan(engine(), dnnl::prop_kind::forward_inference,
                           dnnl::algorithm::deconvolution_direct, dnnl_desc(context.input, context.type),
                           weights, layer.bias ? bias : memory::desc(),
                           dnnl_desc(context.output, context.type), {window.strides[0], window.strides[1]},
                           {window.dilations[0] - 1, window.dilations[1] - 1},
                           {window.pads[0], window.pads[1]}, {window.pads[2], window.pads[3]}, attributes,
                           /*allow_empty=*/true);
    if (!plan) throw UnsupportedLayer("oneDNN has no deconvolution for " + layer.key());
    return plan;
}

// A layer, then an activation in place of its output.
class ThenActivation final : public CpuLayer {
public:
    ThenActivation(std::unique_ptr<CpuLayer> layer, std::unique_ptr<CpuLayer> activation)
        : layer_(std::move(layer)), activation_(std::move(activation)) {}
    void load(const LayerWeights& weights) override { layer_->load(weights); }
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override {
        layer_->bind(inputs, output, scratch);
        activation_->bind({output}, output, scratch);
    }
    void execute() override {
        layer_->execute();
        activation_->execute();
    }
    std::size_t scratch_bytes() const override { return layer_->scratch_bytes(); }
    std::string implementation() const override {
        return layer_->implementation() + "+" + activation_->implementation();
    }
    std::span<const std::byte> weights() const override { return layer_->weights(); }

private:
    std::unique_ptr<CpuLayer> layer_;
    std::unique_ptr<CpuLayer> activation_;
};

}  // namespace

std::unique_ptr<CpuLayer> make_transposed_conv(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    std::unique_ptr<CpuLayer> plain = checked("compiling " + layer.key(), [&] {
        const DeconvolutionDesc plan = deconvolution_plan(context);
        const auto order = layer.groups == 1 ? memory::format_tag::iohw : memory::format_tag::giohw;
        PrimitiveLayer::Weights weights{
            plan.weights_desc(), {transposed_weight_dims(layer), memory::data_type::f32, order}, {}};
        if (layer.bias) weights.bias = plan.bias_desc();
        return PrimitiveLayer::make<deconvolution_forward>(context, plan, weights);
    });
    if (layer.activation == Activation::none) return plain;
    LayerContext behind = context;
    behind.layer = LayerSpec{};
    behind.layer.kind = LayerKind::activation;
    behind.layer.activation = layer.activation;
    behind.layer.alpha = layer.alpha;
    behind.input = context.output;
    return std::make_unique<ThenActivation>(std::move(plain), make_elementwise(behind));
}

}  // namespace hacscale::cpu
