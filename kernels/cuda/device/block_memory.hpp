// Shared memory whose size is known when the kernel starts, and the memories of the other blocks of a cluster:
// neighbouring blocks that run at the same time and can read each other's shared memory (sm_90 and newer).
//
// A kernel with `using Shared = BlockMemory` (host_device.hpp) also has
//   std::size_t shared_bytes() const;            of a block
//   static constexpr bool clustered;             false: blocks know nothing of each other
// and, if clustered,
//   int cluster_blocks() const;                  divides blocks(); block i is number i % cluster_blocks() of its cluster
//   HACSCALE_HD bool cluster_waits(int phase) const;   after this phase all threads of the cluster wait for each other
//   static constexpr int last_shared_phase;      no later one reads another block's memory
#pragma once

#include <cstddef>
#include <type_traits>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

constexpr int max_portable_cluster = 8;  // blocks that every device with clusters can run together
constexpr int max_cluster = 16;

struct BlockMemory {
    std::byte* own = nullptr;
#ifndef __CUDA_ARCH__
    std::byte* const* cluster = nullptr;  // of each block; null where they may not be read
#endif

    // Offsets are in bytes.
    template <typename T>
    HACSCALE_HD T* at(int offset) const {
        return reinterpret_cast<T*>(own + offset);
    }
    template <typename T>
    HACSCALE_HD const T* of_block(int number, int offset) const {
#ifndef __CUDA_ARCH__
        return reinterpret_cast<const T*>(cluster[number] + offset);
#elif __CUDA_ARCH__ >= 900
        return static_cast<const T*>(__cluster_map_shared_rank(own + offset, static_cast<unsigned>(number)));
#else
        return at<T>(offset);  // never runs: execute.cuh refuses clusters on such a device
#endif
    }
};

template <typename Kernel>
concept HasBlockMemory = std::is_same_v<typename Kernel::Shared, BlockMemory>;
template <typename Kernel>
concept Clustered = HasBlockMemory<Kernel> && Kernel::clustered;

// Hands out parts of a block's memory, each aligned to 16 bytes.
class BlockMemoryLayout {
public:
    // Returns the part's offset.
    constexpr int add(std::int64_t bytes) {
        const auto offset = static_cast<int>(bytes_);
        bytes_ += ceil_div<std::int64_t>(bytes, 16) * 16;
        return offset;
    }
    constexpr std::int64_t bytes() const { return bytes_; }

private:
    std::int64_t bytes_ = 0;
};

}  // namespace hacscale::cuda
