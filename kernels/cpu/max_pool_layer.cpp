// Maximum pooling: oneDNN's pooling primitive.
#include "kernels/cpu/detail/primitive_layer.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::memory;
using onednn::pooling_forward;
using PoolDesc = pooling_forward::primitive_desc;

PoolDesc pool_plan(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const memory::dims kernel{layer.kernel(), layer.kernel()};
    const memory::dims strides{layer.stride(), layer.stride()};
    const memory::dims padding{layer.padding(), layer.padding()};
    const auto far = [&](int in, int out) {
        return memory::dim{(out - 1) * layer.stride() + layer.kernel() - in - layer.padding()};
    };
    const memory::dims far_padding{far(layer.in_height, layer.out_height()),
                                   far(layer.in_width, layer.out_width())};
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    PoolDesc plan(engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max,
                  dnnl_desc(context.input, context.type), dnnl_desc(context.output, context.type), strides,
                  kernel, /*dilation=*/{0, 0}, padding, far_padding, attributes, /*allow_empty=*/true);
    if (!plan) throw UnsupportedLayer("oneDNN has no pooling for " + layer.key());
    return plan;
}

}  // namespace

std::unique_ptr<CpuLayer> make_max_pool(const LayerContext& context) {
    return checked("compiling " + context.layer.key(),
                   [&] { return PrimitiveLayer::make<pooling_forward>(context, pool_plan(context)); });
}

}  // namespace hacscale::cpu
