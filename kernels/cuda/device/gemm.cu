#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_gemm(const GemmParams& params, DataType type, cudaStream_t stream) {
    with_gemm(params, type, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching a conv as a matrix product", stream);
    });
}

}  // namespace hacscale::cuda
