// The kinds of hand-written layers, one function a file. Each takes a context that is sound for it
// (handwritten.cpp sees to that) and returns its ways to run, best first.
#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

using LayerList = std::vector<std::unique_ptr<CudaLayer>>;

LayerList depthwise_layers(const LayerContext& context);
// Dense convs.
LayerList gemm_layers(const LayerContext& context);
// A network's first conv.
LayerList stem_layers(const LayerContext& context);
// On matrix units; empty for layers and devices that have none for it.
LayerList depthwise_tensor_layers(const LayerContext& context);
LayerList max_pool_layers(const LayerContext& context);
LayerList global_avg_pool_layers(const LayerContext& context);
LayerList linear_layers(const LayerContext& context);
LayerList squeeze_excite_layers(const LayerContext& context);
LayerList scale_shift_layers(const LayerContext& context);

}  // namespace hacscale::cuda
