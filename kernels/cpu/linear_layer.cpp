// Fully connected layer with bias and activation: oneDNN's inner product.
#include "kernels/cpu/detail/primitive_layer.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::inner_product_forward;
using dnnl::memory;
using PrimitiveDesc = inner_product_forward::primitive_desc;

memory::dims weight_dims(const LayerSpec& layer) {
    return {layer.out_channels, layer.in_channels, layer.in_height, layer.in_width};
}

PrimitiveDesc make_plan(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const memory::desc weights(weight_dims(layer), dnnl_type(context.type), memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc output({context.batch, layer.out_channels}, dnnl_type(context.type),
                              memory::format_tag::nc);
    dnnl::post_ops post_ops;
    append_activation(post_ops, layer.activation);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post_ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const inner_product_forward::desc description(dnnl::prop_kind::forward_inference,
                                                  dnnl_desc(context.input, context.type), weights,
                                                  layer.bias ? bias : memory::desc(), output);
    PrimitiveDesc plan(description, attributes, engine(), /*allow_empty=*/true);
    if (!plan) throw UnsupportedLayer("oneDNN has no inner product for " + layer.key());
    return plan;
}

}  // namespace

std::unique_ptr<CpuLayer> make_linear(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    return checked("compiling " + layer.key(), [&] {
        const PrimitiveDesc plan = make_plan(context);
        PrimitiveLayer::Weights weights{
            plan.weights_desc(), {weight_dims(layer), memory::data_type::f32, memory::format_tag::oihw}, {}};
        if (layer.bias) weights.bias = plan.bias_desc();
        return PrimitiveLayer::make<inner_product_forward>(layer.key(), plan, std::move(weights));
    });
}

}  // namespace hacscale::cpu
