// A layer that one oneDNN primitive runs whole.
#pragma once

#include <optional>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/fused_attributes.hpp"
#include "kernels/cpu/detail/onednn.hpp"

namespace hacscale::cpu {

class PrimitiveLayer final : public CpuLayer {
public:
    struct Weights {
        dnnl::memory::desc packed;  // as the primitive wants them
        dnnl::memory::desc plain;   // as LayerWeights holds them
        std::optional<dnnl::memory::desc> bias;
        std::optional<IntegerScales> integers = {};  // of a layer that computes with integers
    };

    // `plan` is the primitive's descriptor; `Primitive` its class.
    template <typename Primitive>
    static std::unique_ptr<PrimitiveLayer> make(const LayerContext& context,
                                                const typename Primitive::primitive_desc& plan,
                                                const std::optional<Weights>& weights = std::nullopt) {
        return std::unique_ptr<PrimitiveLayer>(new PrimitiveLayer(context, Primitive(plan), plan.src_desc(),
                                                                  plan.dst_desc(), plan.scratchpad_desc(),
                                                                  plan.impl_info_str(), weights));
    }

    void load(const LayerWeights& weights) override;
    void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) override;
    void execute() override { primitive_.run(); }
    std::size_t scratch_bytes() const override { return scratch_bytes_; }
    std::string implementation() const override { return implementation_; }
    std::span<const std::byte> weights() const override;

private:
    PrimitiveLayer(const LayerContext& context, dnnl::primitive primitive, const dnnl::memory::desc& source,
                   const dnnl::memory::desc& destination, const dnnl::memory::desc& scratchpad,
                   std::string implementation, const std::optional<Weights>& weights);

    std::string name_;  // the layer's key, for messages
    std::string implementation_;
    std::size_t scratch_bytes_;
    BoundPrimitive primitive_;
    std::optional<Weights> weights_;
    std::span<std::byte> packed_weights_;
    std::span<std::byte> bias_;
};

}  // namespace hacscale::cpu
