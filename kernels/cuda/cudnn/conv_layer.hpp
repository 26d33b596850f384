// Conv and linear layers run by cuDNN: with bias, residual add and activation fused into one plan where cuDNN
// has one, and otherwise as the conv alone with the project's own step (launch_epilogue) behind it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/cudnn/conv_graph.hpp"

namespace hacscale::cuda {

// Plans that want more scratch memory than this are not considered.
constexpr std::int64_t largest_workspace_bytes = std::int64_t{512} << 20;

// Candidates to run the layer on the device of the context, the one that cuDNN expects to be fastest first: of fused
// plans and of bare ones at most `most` each. Empty for other kinds of layers, for data types that the device cannot
// compute in, and where cuDNN has nothing; `reason` then says why. Throws MissingError without cuDNN.
std::vector<std::unique_ptr<CudaLayer>> cudnn_candidates(const LayerContext& context,
                                                         std::size_t most = all_plans,
                                                         std::string* reason = nullptr);

// Ways that cuDNN's heuristics may not name, searched for about so many seconds: all engines, with settings of
// their knobs.
std::vector<std::unique_ptr<CudaLayer>> cudnn_sweep(const LayerContext& context, double seconds);

// What cudnn_layer_from_plan() takes; empty for layers that are not cuDNN's.
std::string serialized_plan(const CudaLayer& layer);

// The layer with the plan of an earlier process: no heuristics, no choice. Throws WorkError when the text is
// damaged, or when this cuDNN on this device does not take the plan, or it is another layer's.
std::unique_ptr<CudaLayer> cudnn_layer_from_plan(const LayerContext& context, const std::string& serialized);

// The same for any target; layers for a target that is only described cannot be launched.
std::vector<std::unique_ptr<CudaLayer>> conv_candidates(const std::shared_ptr<const CudnnTarget>& target,
                                                        const LayerContext& context, std::size_t most,
                                                        std::string* reason);
std::vector<std::unique_ptr<CudaLayer>> conv_sweep(const std::shared_ptr<const CudnnTarget>& target,
                                                   const LayerContext& context, double seconds);
std::unique_ptr<CudaLayer> conv_layer_from_plan(const std::shared_ptr<const CudnnTarget>& target,
                                                const LayerContext& context, const std::string& serialized);

}  // namespace hacscale::cuda
