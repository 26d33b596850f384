#include "kernels/cuda/device/depthwise_walk.hpp"

#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_depthwise_walk(const DepthwiseParams& params, int walk, DataType type, cudaStream_t stream) {
    with_depthwise_walk(params, walk, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

}  // namespace hacscale::cuda
