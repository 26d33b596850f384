// Fully connected layer with bias and activation: oneDNN's inner product, or for one vector a kernel of our own
// (vector_linear_layer.cpp).
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

}  // namespace

std::unique_ptr<CpuLayer> make_linear(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    if (std::unique_ptr<CpuLayer> of_one_vector = make_vector_linear(context)) return of_one_vector;
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
