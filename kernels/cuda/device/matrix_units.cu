// The launchers of dense convs on matrix units.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_gemm(const GemmParams& params, DataType type, cudaStream_t stream) {
    with_gemm(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a conv as a matrix product", stream);
    });
}

void launch_stem(const StemParams& params, int kernel, int stride, DataType type, cudaStream_t stream) {
    with_stem(params, kernel, stride, type,
              [stream](const auto& made) { launch_kernel(made, "launching a first conv", stream); });
}

}  // namespace hacscale::cuda
