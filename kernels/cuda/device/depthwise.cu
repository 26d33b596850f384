// The launchers of depthwise convs: strips of 3 x 3 and 5 x 5 windows, any window, and matrix units.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_depthwise_3x3(const DepthwiseParams& params, DataType type, cudaStream_t stream) {
    with_depthwise<3>(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

void launch_depthwise_5x5(const DepthwiseParams& params, DataType type, cudaStream_t stream) {
    with_depthwise<5>(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

void launch_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_depthwise_any(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

void launch_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, cudaStream_t stream) {
    with_depthwise_tensor(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a depthwise conv", stream);
    });
}

}  // namespace hacscale::cuda
