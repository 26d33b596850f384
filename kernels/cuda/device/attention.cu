// The launchers of attention's products and shares.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_matmul(const MatmulParams& params, DataType type, cudaStream_t stream) {
    with_matmul(params, type,
                [stream](const auto& kernel) { launch_kernel(kernel, "launching a matmul", stream); });
}

void launch_softmax(const SoftmaxParams& params, DataType type, cudaStream_t stream) {
    with_softmax(params, type,
                 [stream](const auto& kernel) { launch_kernel(kernel, "launching a softmax", stream); });
}

}  // namespace hacscale::cuda
