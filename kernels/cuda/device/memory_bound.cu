// The launchers of steps that move far more bytes than they compute: elementwise steps, pools, linear layers.
#include "kernels/cuda/device/execute.cuh"
#include "kernels/cuda/device/launch.hpp"

namespace hacscale::cuda {

void launch_pointwise(const PointwiseParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_pointwise(params, type, vectors, [stream](const auto& kernel) {
        launch_kernel(kernel, "launching an elementwise step", stream);
    });
}

void launch_pool(const PoolParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_pool(params, type, vectors,
              [stream](const auto& kernel) { launch_kernel(kernel, "launching a pool", stream); });
}

void launch_linear(const LinearParams& params, DataType type, bool vectors, cudaStream_t stream) {
    with_linear(params, type, vectors,
                [stream](const auto& kernel) { launch_kernel(kernel, "launching a linear layer", stream); });
}

}  // namespace hacscale::cuda
