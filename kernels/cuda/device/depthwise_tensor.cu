#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, cudaStream_t stream) {
    with_depthwise_tensor(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

}  // namespace hacscale::cuda
