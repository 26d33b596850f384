#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_depthwise_any(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

}  // namespace hacscale::cuda
