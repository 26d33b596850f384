// Runs a kernel of this folder (host_device.hpp) on the device.
#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

template <int Phase, typename Kernel>
__device__ __forceinline__ void run_from_phase(const Kernel& kernel, typename Kernel::Shared& shared,
                                               int block, int thread) {
    kernel.template run<Phase>(shared, block, thread);
    if constexpr (Phase + 1 < Kernel::phases) {
        __syncthreads();
        run_from_phase<Phase + 1>(kernel, shared, block, thread);
    }
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::max_threads, Kernel::min_blocks)
    execute(const __grid_constant__ Kernel kernel) {
    __shared__ typename Kernel::Shared shared;
    run_from_phase<0>(kernel, shared, static_cast<int>(blockIdx.x), static_cast<int>(threadIdx.x));
}

template <typename Kernel>
void launch_kernel(const Kernel& kernel, const char* what, cudaStream_t stream) {
    execute<<<static_cast<unsigned>(kernel.blocks()), static_cast<unsigned>(kernel.threads()), 0, stream>>>(
        kernel);
    check_launch(what);
}

}  // namespace hacscale::cuda
