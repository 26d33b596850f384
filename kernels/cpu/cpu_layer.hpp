// One layer of a network on the CPU: packed weights and the primitive or kernel that runs it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cpu/tensor.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::cpu {

// What a layer that computes with integers (LayerContext::type is i8) reads and writes.
struct IntegerForms {
    Stored input;
    Stored output;
    Stored residual;  // what the output holds before, of a conv with a residual add; as wide as the output
    std::vector<float> weight_scales =
        {};  // one an output channel: a weight is an integer times its channel's
};

// What is decided for a layer before it is built.
struct LayerContext {
    LayerSpec layer;
    int batch = 1;
    DataType type = DataType::f32;
    TensorShape input;  // the first one
    TensorShape output;
    // Whether one pass of the whole network fits the cores' private caches: then a layer finds its weights
    // there, else they come from further away at each pass, and kernels that pack weights larger (Winograd)
    // pay for it.
    bool weights_stay_cached = true;
    WeightPool* pool = nullptr;  // where the layer takes memory for its weights; outlives the layer
    std::vector<TensorShape> more_inputs = {};  // of layers that read several, those after the first
    IntegerForms integers = {};                 // of type i8
    // Whether the first kernel that can be built will do: the layer is not there to be fast.
    bool any_kernel = false;
};

using InputPointers = std::vector<const std::byte*>;

class CpuLayer {
public:
    virtual ~CpuLayer() = default;
    virtual void load(const LayerWeights& weights) = 0;
    // Says where the tensors are from now on; may write zeros to a blocked tensor's padding. `scratch` has at
    // least scratch_bytes() bytes.
    virtual void bind(const InputPointers& inputs, std::byte* output, std::byte* scratch) = 0;
    // For a conv with a residual add, the output holds the residual before and the result after.
    virtual void execute() = 0;
    virtual std::size_t scratch_bytes() const { return 0; }
    virtual std::string implementation() const = 0;
    // Packed weights, for eviction and accounting; empty when there are none.
    virtual std::span<const std::byte> weights() const { return {}; }
};

// Each throws UnsupportedLayer when the library has no kernel for it.
std::unique_ptr<CpuLayer> make_conv(const LayerContext& context);
std::unique_ptr<CpuLayer> make_transposed_conv(const LayerContext& context);
std::unique_ptr<CpuLayer> make_linear(const LayerContext& context);
// Of one vector in f32 or i8; null for other linear layers.
std::unique_ptr<CpuLayer> make_vector_linear(const LayerContext& context);
std::unique_ptr<CpuLayer> make_pool(const LayerContext& context);  // maximum and average
std::unique_ptr<CpuLayer> make_global_avg_pool(const LayerContext& context);
std::unique_ptr<CpuLayer> make_squeeze_excite(const LayerContext& context);
std::unique_ptr<CpuLayer> make_scale_shift(const LayerContext& context);
std::unique_ptr<CpuLayer> make_elementwise(const LayerContext& context);    // activation, add, multiply
std::unique_ptr<CpuLayer> make_channel_moves(const LayerContext& context);  // concat, slice, shuffles
std::unique_ptr<CpuLayer> make_pad(const LayerContext& context);
std::unique_ptr<CpuLayer> make_resize(const LayerContext& context);
std::unique_ptr<CpuLayer> make_layer_norm(const LayerContext& context);
std::unique_ptr<CpuLayer> make_channel_statistics(const LayerContext& context);  // group_norm, grn, eca
std::unique_ptr<CpuLayer> make_broadcast(
    const LayerContext& context);  // map_bias, map_scale; add, multiply of other shapes
std::unique_ptr<CpuLayer> make_rearrange(const LayerContext& context);  // reshape, permute
std::unique_ptr<CpuLayer> make_matmul(const LayerContext& context);
std::unique_ptr<CpuLayer> make_softmax(const LayerContext& context);

std::unique_ptr<CpuLayer> make_layer(const LayerContext& context);

class UnsupportedLayer : public std::exception {
public:
    explicit UnsupportedLayer(std::string reason) : reason_(std::move(reason)) {}
    const char* what() const noexcept override { return reason_.c_str(); }

private:
    std::string reason_;
};

}  // namespace hacscale::cpu
