// Maximum and average pooling over a window: oneDNN's pooling primitive.
#include "kernels/cpu/detail/onednn.hpp"
#include "kernels/cpu/detail/primitive_layer.hpp"

namespace hacscale::cpu {
namespace {

using onednn::pooling_forward;
using PoolDesc = pooling_forward::primitive_desc;

PoolDesc pool_plan(const LayerContext& context) {
    const WindowDims window = window_dims(context.layer);
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    auto algorithm = dnnl::algorithm::pooling_max;
    if (context.layer.kind == LayerKind::avg_pool) {
        algorithm = context.layer.mode == Mode::count_padding ? dnnl::algorithm::pooling_avg_include_padding
                                                              : dnnl::algorithm::pooling_avg_exclude_padding;
    }
    PoolDesc plan(engine(), dnnl::prop_kind::forward_inference, algorithm,
                  dnnl_desc(context.input, context.type, context.integers.input.element),
                  dnnl_desc(context.output, context.type, context.integers.output.element), window.strides,
                  window.kernel, window.dilations, window.near_padding, window.far_padding, attributes,
                  /*allow_empty=*/true);
    if (!plan) throw UnsupportedLayer("oneDNN has no pooling for " + context.layer.key());
    return plan;
}

}  // namespace

std::unique_ptr<CpuLayer> make_pool(const LayerContext& context) {
    return checked("compiling " + context.layer.key(),
                   [&] { return PrimitiveLayer::make<pooling_forward>(context, pool_plan(context)); });
}

}  // namespace hacscale::cpu
