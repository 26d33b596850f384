#include "kernels/cpu/detail/onednn.hpp"

#include <oneapi/dnnl/dnnl_debug.h>

#include "kernels/cpu/cpu_layer.hpp"

namespace hacscale::cpu {

dnnl::engine& engine() {
    static dnnl::engine the_engine(dnnl::engine::kind::cpu, 0);
    return the_engine;
}

dnnl::stream& stream() {
    static dnnl::stream the_stream(engine());
    return the_stream;
}

void check(dnnl_status_t status, const CallSite& site) {
    if (status == dnnl_success) return;
    throw WorkError(std::string(site.what) + " failed in oneDNN: " + dnnl_status2str(status), site.where);
}

dnnl::memory::data_type dnnl_type(DataType type, Element stored) {
    switch (type) {
        case DataType::f32:
            return dnnl::memory::data_type::f32;
        case DataType::bf16:
            return dnnl::memory::data_type::bf16;
        case DataType::f16:
            return dnnl::memory::data_type::f16;
        case DataType::i8:
            if (stored == Element::f32) return dnnl::memory::data_type::f32;
            return stored == Element::u8 ? dnnl::memory::data_type::u8 : dnnl::memory::data_type::s8;
        case DataType::tf32:
            break;
    }
    return dnnl::memory::data_type::undef;
}

dnnl::memory::desc dnnl_desc(const TensorShape& shape, DataType type, Element stored) {
    using Tag = dnnl::memory::format_tag;
    Tag tag = Tag::nhwc;
    if (shape.order == TensorShape::Order::blocked) tag = shape.block == 8 ? Tag::nChw8c : Tag::nChw16c;
    if (shape.order == TensorShape::Order::plain) tag = Tag::nchw;
    return {{shape.batch, shape.channels, shape.height, shape.width}, dnnl_type(type, stored), tag};
}

dnnl::memory unbound_memory(const dnnl::memory::desc& desc) {
    return {desc, engine(), nullptr};
}

void append_activation(onednn::post_ops& post_ops, const LayerSpec& layer) {
    using dnnl::algorithm;
    switch (layer.activation) {
        case Activation::none:
            return;
        case Activation::relu:
            post_ops.append_eltwise(algorithm::eltwise_relu, 0.0F, 0.0F);
            return;
        case Activation::relu6:
            post_ops.append_eltwise(algorithm::eltwise_clip_v2, 0.0F, 6.0F);
            return;
        case Activation::silu:
            post_ops.append_eltwise(algorithm::eltwise_swish, 1.0F, 0.0F);
            return;
        case Activation::hard_swish:
            post_ops.append_eltwise(algorithm::eltwise_hardswish, 1.0F / 6.0F, 0.5F);
            return;
        case Activation::sigmoid:
            post_ops.append_eltwise(algorithm::eltwise_logistic, 0.0F, 0.0F);
            return;
        case Activation::hard_sigmoid:
            post_ops.append_eltwise(algorithm::eltwise_linear, 1.0F / 6.0F, 0.5F);
            post_ops.append_eltwise(algorithm::eltwise_clip_v2, 0.0F, 1.0F);
            return;
        case Activation::gelu:
            post_ops.append_eltwise(algorithm::eltwise_gelu_erf, 0.0F, 0.0F);
            return;
        case Activation::gelu_tanh:
            post_ops.append_eltwise(algorithm::eltwise_gelu_tanh, 0.0F, 0.0F);
            return;
        case Activation::leaky_relu:
            post_ops.append_eltwise(algorithm::eltwise_relu, layer.alpha.value(), 0.0F);
            return;
        case Activation::mish:
            post_ops.append_eltwise(algorithm::eltwise_mish, 0.0F, 0.0F);
            return;
        case Activation::softplus:
            post_ops.append_eltwise(algorithm::eltwise_soft_relu, 1.0F, 0.0F);
            return;
        case Activation::elu:
            post_ops.append_eltwise(algorithm::eltwise_elu, layer.alpha.value(), 0.0F);
            return;
        case Activation::tanh:
            post_ops.append_eltwise(algorithm::eltwise_tanh, 0.0F, 0.0F);
            return;
    }
}

void BoundPrimitive::add(int argument, dnnl::memory memory) {
    memories_.push_back(std::move(memory));
    arguments_.push_back({argument, memories_.back().get()});
}

void BoundPrimitive::bind(int argument, const std::byte* data) {
    for (const dnnl_exec_arg_t& bound : arguments_) {
        if (bound.arg != argument) continue;
        // oneDNN takes inputs and outputs alike as void*; inputs are only read.
        void* pointer = const_cast<std::byte*>(data);
        if (dnnl_memory_set_data_handle(bound.memory, pointer) != dnnl_success) {
            throw WorkError("setting a tensor's memory failed in oneDNN");
        }
        return;
    }
}

void BoundPrimitive::run() {
    check(with_aligned_stack([this] {
              return dnnl_primitive_execute(primitive_.get(), stream().get(),
                                            static_cast<int>(arguments_.size()), arguments_.data());
          }),
          "running a layer");
}

}  // namespace hacscale::cpu
