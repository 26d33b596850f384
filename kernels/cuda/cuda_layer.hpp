// A layer compiled for a GPU: it knows its kernels and how its numbers are laid out, but owns no memory, so that the
// runner can lay out a whole network, replay it as one CUDA graph, and run copies of it over other buffers.
//
// Tensors are NHWC, dense, in the data type of the network (tf32: f32). Buffers are aligned to 256 bytes.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::cuda {

// What compiling a layer needs of the device; see cuda_device.hpp for how it is read.
struct DeviceTraits {
    int index = 0;               // of cuda:N
    int compute_capability = 0;  // 90 for 9.0
    int multiprocessors = 0;
    std::size_t l2_bytes = 0;
    std::size_t shared_memory_optin = 0;  // bytes a block may ask for
};

// What a layer finds in the L2 cache when it runs, and so what its candidates are timed with.
enum class L2State : std::uint8_t {
    cold,       // nothing: the network is larger than the cache
    input_hot,  // its input and residual, which the layers before it wrote
    hot,        // its weights, too: a pass of the network fits in half of the cache
};
constexpr std::string_view name_of(L2State state) {
    return state == L2State::cold ? "cold" : state == L2State::input_hot ? "input_hot" : "hot";
}

struct LayerContext {
    LayerSpec layer;
    int batch = 1;
    DataType type = DataType::f32;
    DeviceTraits device;
    L2State l2 = L2State::cold;
};

// What a layer that reads several tensors has of each.
struct DataInput {
    const void* data = nullptr;
    int channels = 0;
};

struct LayerBuffers {
    const void* input = nullptr;     // the first data input
    const void* residual = nullptr;  // of the output's shape; null when the layer adds none
    void* output = nullptr;          // apart from all the others
    const void* weights = nullptr;   // as packed by pack_weights()
    void* workspace = nullptr;       // workspace_bytes() of it; its contents are not kept between launches
    // All data inputs, in their order, of a layer that has several (LayerSpec::inputs).
    std::vector<DataInput> inputs = {};
};

class CudaLayer {
public:
    virtual ~CudaLayer() = default;
    // What runs, as the table keeps it: "cudnn eng15_k5=1_k6=0", "hacscale depthwise 3x3 ..."; parts joined
    // by " + " when several kernels do the work.
    virtual std::string implementation() const = 0;
    // Weights on the device, of layers that have some.
    virtual std::size_t weight_bytes() const { return 0; }
    // Writes the numbers as the kernels want them. `packed` has weight_bytes().
    virtual void pack_weights(const LayerWeights&, std::span<std::byte> /*packed*/) const {}
    virtual std::size_t workspace_bytes() const { return 0; }
    // Enqueues the work and returns; may be called while the stream is being captured. Throws as
    // cuda_error.hpp.
    virtual void launch(const LayerBuffers& buffers, cudaStream_t stream) = 0;
};

using LayerList = std::vector<std::unique_ptr<CudaLayer>>;

// The candidates to run this layer, the one expected to be fastest first; never empty. Throws UnsupportedLayer.
LayerList layer_candidates(const LayerContext& context);

class UnsupportedLayer : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace hacscale::cuda
