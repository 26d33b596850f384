#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_stem(const StemParams& params, int kernel, int stride, DataType type, cudaStream_t stream) {
    with_stem(params, kernel, stride, type,
              [stream](const auto& made) { launch_kernel(made, "launching a first conv", stream); });
}

}  // namespace hacscale::cuda
