#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_linear(const LinearParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_linear(params, type, vectors,
                [stream](const auto& kernel) { launch_kernel(kernel, "launching a linear layer", stream); });
}

}  // namespace hacscale::cuda
