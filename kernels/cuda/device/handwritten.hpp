// The project's own CUDA kernels, as the rest of the backend uses them: layers that cuDNN is weak at, the
// step that finishes a conv that cuDNN could not fuse, and two helpers of timing.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

// The hand-written candidates to run this layer, best first. Empty when there are none: most dense and grouped convs, and
// layers that are too large for 31-bit block numbers.
LayerList handwritten_candidates(const LayerContext& context);

// The same for one kind of layer, one function a file. Each takes a context that is sound for it, which
// handwritten_candidates() sees to.
LayerList depthwise_layers(const LayerContext& context);
// Dense convs.
LayerList gemm_layers(const LayerContext& context);
// A network's first conv.
LayerList stem_layers(const LayerContext& context);
// On matrix units; empty for layers and devices that have none for it.
LayerList depthwise_tensor_layers(const LayerContext& context);
LayerList pool_layers(const LayerContext& context);
LayerList global_avg_pool_layers(const LayerContext& context);
LayerList linear_layers(const LayerContext& context);
LayerList squeeze_excite_layers(const LayerContext& context);
LayerList scale_shift_layers(const LayerContext& context);
// activation, add, multiply, prelu
LayerList learned_map_layers(const LayerContext& context);
LayerList matmul_layers(const LayerContext& context);
LayerList softmax_layers(const LayerContext& context);
LayerList elementwise_layers(const LayerContext& context);

LayerList transposed_conv_layers(const LayerContext& context);
LayerList concat_layers(const LayerContext& context);
// slice, pad, channel_shuffle, pixel_shuffle, space_to_depth, nearest resize
LayerList move_layers(const LayerContext& context);
LayerList resize_layers(const LayerContext& context);

LayerList layer_norm_layers(const LayerContext& context);
// group_norm, grn, eca
LayerList image_norm_layers(const LayerContext& context);

using MakeLayers = LayerList (*)(const LayerContext&);
// Those that `make` has, for a conv or linear layer with any activation: the kernels apply few of them, and the others are a
// step behind the kernel.
LayerList activated_layers(const LayerContext& context, MakeLayers make);

// y[p][c] = activation(x[p][c] + bias[c] + residual[p][c]) over a dense NHWC tensor.
struct EpilogueParams {
    const void* x = nullptr;         // [positions][channels], in the data type, aligned to 16 bytes
    const float* bias = nullptr;     // [channels] in f32, aligned to 16 bytes; null adds none
    const void* residual = nullptr;  // as x; null adds none
    void* y = nullptr;               // as x; may be x or residual itself
    std::int64_t positions = 0;      // batch * height * width
    int channels = 0;
    Activation activation = Activation::none;
    float alpha = 0.0F;  // of activations that have one (has_alpha)
};

// Enqueues the step; tf32 is f32 here. Throws as cuda_error.hpp.
void launch_epilogue(const EpilogueParams& params, DataType type, cudaStream_t stream);

// Reads `bytes` of `buffer`, which is aligned to 16 bytes. With a buffer several times as large as L2, all
// that lay there before is driven out, and what was changed is written back: nothing is left that a kernel
// timed next would have to wait for, as there would be after overwriting the buffer.
void launch_touch(const void* buffer, std::size_t bytes, cudaStream_t stream);

// Copies with 16-byte accesses, to measure copy bandwidth. Both buffers are aligned to 16 bytes; `bytes` is
// rounded down to a multiple of 16.
void launch_copy(const void* source, void* destination, std::size_t bytes, cudaStream_t stream);

// The same for a layer's own bytes: reads all of `source` and writes all of `destination`, which may be of other
// sizes. What it writes is of no use.
void launch_read_and_write(const void* source, std::size_t read_bytes, void* destination,
                           std::size_t write_bytes, cudaStream_t stream);

}  // namespace hacscale::cuda
