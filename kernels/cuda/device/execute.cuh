// Runs a kernel of this folder (host_device.hpp) on the device.
#pragma once

#include <cuda_runtime.h>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/block_memory.hpp"
#include "kernels/cuda/device/mma.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {

template <typename Kernel>
__device__ __forceinline__ void wait_after(const Kernel& kernel, int phase) {
#if __CUDA_ARCH__ >= 900
    if constexpr (Clustered<Kernel>) {
        if (kernel.cluster_waits(phase)) {
            __cluster_barrier_arrive();
            __cluster_barrier_wait();
            return;
        }
    }
#endif
    __syncthreads();
}

// Until the kernel in front of this one has ended; nothing to wait for where this one was launched behind its
// end. Only then may the next kernel be launched: it waits for this kernel, and so for all before it.
__device__ __forceinline__ void follow_previous_kernel() {
#if __CUDA_ARCH__ >= 900
    cudaGridDependencySynchronize();
    cudaTriggerProgrammaticLaunchCompletion();
#endif
}

template <int Phase, typename Kernel>
__device__ __forceinline__ void run_phase(const Kernel& kernel, typename Kernel::Shared& shared, int block,
                                          int thread) {
    if constexpr (Phase == 0 && StartsEarly<Kernel>) {
        auto early = kernel.start_early(shared, block, thread);
        follow_previous_kernel();
        kernel.run_first(shared, block, thread, early);
        return;
    }
    if constexpr (Phase == 0) follow_previous_kernel();
    if constexpr (by_warps<Kernel, Phase>) {
        kernel.template run_warp<Phase>(shared, block, Warp(thread / warp_lanes, thread % warp_lanes));
    } else {
        kernel.template run<Phase>(shared, block, thread);
    }
}

template <int Phase, typename Kernel>
__device__ __forceinline__ void run_from_phase(const Kernel& kernel, typename Kernel::Shared& shared,
                                               int block, int thread) {
    run_phase<Phase>(kernel, shared, block, thread);
#if __CUDA_ARCH__ >= 900
    if constexpr (Clustered<Kernel>) {
        if constexpr (Phase == Kernel::last_shared_phase) __cluster_barrier_arrive();
    }
#endif
    if constexpr (Phase + 1 < Kernel::phases) {
        wait_after(kernel, Phase);
        run_from_phase<Phase + 1>(kernel, shared, block, thread);
    }
}

template <typename Kernel>
__device__ __forceinline__ void run_with_block_memory(const Kernel& kernel, int block, int thread) {
    extern __shared__ __align__(16) std::byte block_memory[];
    BlockMemory shared{block_memory};
#if __CUDA_ARCH__ < 900
    if constexpr (Clustered<Kernel>) __trap();
#endif
    run_from_phase<0>(kernel, shared, block, thread);
#if __CUDA_ARCH__ >= 900
    // A block's memory stays until all others of its cluster have read it.
    if constexpr (Clustered<Kernel>) __cluster_barrier_wait();
#endif
}

template <typename Kernel>
__global__ void __launch_bounds__(Kernel::max_threads, Kernel::min_blocks)
    execute(const __grid_constant__ Kernel kernel) {
    const auto block = static_cast<int>(blockIdx.x);
    const auto thread = static_cast<int>(threadIdx.x);
    if constexpr (HasBlockMemory<Kernel>) {
        run_with_block_memory(kernel, block, thread);
    } else {
        __shared__ typename Kernel::Shared shared;
        run_from_phase<0>(kernel, shared, block, thread);
    }
}

// A launch that is put together part by part.
class Launch {
public:
    Launch(std::int64_t blocks, int threads, cudaStream_t stream) {
        config_.gridDim = dim3(static_cast<unsigned>(blocks));
        config_.blockDim = dim3(static_cast<unsigned>(threads));
        config_.stream = stream;
        config_.attrs = attributes_;
    }
    Launch(const Launch&) = delete;
    Launch& operator=(const Launch&) = delete;

    void share(std::size_t bytes) { config_.dynamicSmemBytes = bytes; }
    void in_clusters(int blocks) {
        cudaLaunchAttribute& attribute = attributes_[config_.numAttrs++];
        attribute.id = cudaLaunchAttributeClusterDimension;
        attribute.val.clusterDim.x = static_cast<unsigned>(blocks);
        attribute.val.clusterDim.y = 1;
        attribute.val.clusterDim.z = 1;
    }
    void programmatically() {
        cudaLaunchAttribute& attribute = attributes_[config_.numAttrs++];
        attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
        attribute.val.programmaticStreamSerializationAllowed = 1;
    }
    template <typename Kernel>
    cudaError_t start(const Kernel& kernel) const {
        return cudaLaunchKernelEx(&config_, execute<Kernel>, kernel);
    }

private:
    cudaLaunchConfig_t config_{};
    cudaLaunchAttribute attributes_[2] = {};
};

// Of the architecture that the kernel was compiled for. A newer device may run code for an older one, in which
// clusters and waiting for the previous kernel are missing.
template <typename Kernel>
int compiled_for(const CallSite& site) {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, execute<Kernel>), site);
    return attributes.ptxVersion;
}

inline bool device_has_programmatic_launches(const CallSite& site) {
    int device = 0;
    int major = 0;
    check(cudaGetDevice(&device), site);
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), site);
    return major >= 9;
}

// What the device has to know of a kernel with much shared memory, or with clusters, before it is launched.
// Throws WorkError where the kernel has no code that can run in clusters, as in a build for older devices.
template <typename Kernel>
void prepare_block_memory(const Kernel& kernel, const CallSite& site) {
    check(cudaFuncSetAttribute(execute<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(kernel.shared_bytes())),
          site);
    if constexpr (Clustered<Kernel>) {
        if (compiled_for<Kernel>(site) < 90) {
            throw WorkError(std::string(site.what) + ": this program was built for devices without clusters");
        }
        if (kernel.cluster_blocks() > max_portable_cluster) {
            check(cudaFuncSetAttribute(execute<Kernel>, cudaFuncAttributeNonPortableClusterSizeAllowed, 1),
                  site);
        }
    }
}

template <typename Kernel>
void launch_kernel(const Kernel& kernel, const CallSite& site, cudaStream_t stream) {
    Launch launch(kernel.blocks(), kernel.threads(), stream);
    if constexpr (HasBlockMemory<Kernel>) {
        prepare_block_memory(kernel, site);
        launch.share(kernel.shared_bytes());
        if constexpr (Clustered<Kernel>) launch.in_clusters(kernel.cluster_blocks());
    }
    if (programmatic_launches_wanted() && device_has_programmatic_launches(site) &&
        compiled_for<Kernel>(site) >= 90) {
        launch.programmatically();
    }
    check(launch.start(kernel), site);
}

}  // namespace hacscale::cuda
