#include "kernels/cpu/detail/primitive_layer.hpp"

#include <algorithm>

namespace hacscale::cpu {

PrimitiveLayer::PrimitiveLayer(const LayerContext& context, dnnl::primitive primitive,
                               const dnnl::memory::desc& source, const dnnl::memory::desc& destination,
                               const dnnl::memory::desc& scratchpad, std::string implementation,
                               const std::optional<Weights>& weights)
    : name_(context.layer.key()),
      implementation_(std::move(implementation)),
      scratch_bytes_(scratchpad.get_size()),
      primitive_(std::move(primitive)),
      weights_(weights) {
    primitive_.add(DNNL_ARG_SRC, unbound_memory(source));
    primitive_.add(DNNL_ARG_DST, unbound_memory(destination));
    primitive_.add(DNNL_ARG_SCRATCHPAD, unbound_memory(scratchpad));
    if (!weights_) return;
    packed_weights_ = context.pool->take(weights_->packed.get_size());
    primitive_.add(DNNL_ARG_WEIGHTS, {weights_->packed, engine(), packed_weights_.data()});
    if (weights_->integers && onednn::factors_argument != 0) {
        std::vector<float>& factors = weights_->integers->sum_factors;
        const dnnl::memory::desc desc({static_cast<dnnl::memory::dim>(factors.size())},
                                      dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
        primitive_.add(onednn::factors_argument, {desc, engine(), factors.data()});
    }
    if (!weights_->bias) return;
    bias_ = context.pool->take(weights_->bias->get_size());
    primitive_.add(DNNL_ARG_BIAS, {*weights_->bias, engine(), bias_.data()});
}

void PrimitiveLayer::load(const LayerWeights& given) {
    if (!weights_) return;
    const LayerWeights steps = weights_->integers ? in_steps(given, *weights_->integers) : LayerWeights{};
    const LayerWeights& weights = weights_->integers ? steps : given;
    // oneDNN takes the source of a reorder as void*; it is only read.
    void* source = const_cast<float*>(weights.weights.data());
    checked("packing the weights of " + name_, [&] {
        dnnl::memory plain(weights_->plain, engine(), source);
        dnnl::memory packed(weights_->packed, engine(), packed_weights_.data());
        dnnl::reorder(plain, packed).execute(stream(), plain, packed);
        stream().wait();
    });
    if (weights_->bias) {
        std::copy(weights.bias.begin(), weights.bias.end(), reinterpret_cast<float*>(bias_.data()));
    }
}

void PrimitiveLayer::bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) {
    primitive_.bind(DNNL_ARG_SRC, inputs.front());
    primitive_.bind(DNNL_ARG_DST, output);
    primitive_.bind(DNNL_ARG_SCRATCHPAD, scratch);
}

std::span<const std::byte> PrimitiveLayer::weights() const {
    return packed_weights_;
}

}  // namespace hacscale::cpu
