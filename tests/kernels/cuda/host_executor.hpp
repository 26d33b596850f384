// Runs a kernel (kernels/cuda/device/host_device.hpp) on the CPU: every block, and in it every phase, and in
// that every thread, or every warp (mma.hpp). What a block shares starts as not-a-numbers, and every other
// block goes through its threads backwards, so that a phase that needs what another thread of the same phase
// writes is seen.
//
// The blocks of a cluster take turns where the cluster waits, and only there: between two such phases each
// block runs on as far as it can, in one cluster from the first block to the last, in the next the other way
// round, so that what another block has not written yet is seen to be missing. Where no block may read the
// others' memories any more, it is not given them.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "kernels/cuda/device/block_memory.hpp"
#include "kernels/cuda/device/mma.hpp"

namespace hacscale::cuda::testing {

// While this is set, kernels only do what they may do before the kernel in front of them has ended: a test can
// see that this touches no tensor.
inline bool only_start_early = false;

template <typename Kernel>
void run_first(const Kernel& kernel, typename Kernel::Shared& shared, int block, int thread) {
    auto early = kernel.start_early(shared, block, thread);
    if (!only_start_early) kernel.run_first(shared, block, thread, early);
}

// From this phase up to the one after which the cluster waits; returns the next.
template <int Phase, typename Kernel>
int run_phases(const Kernel& kernel, typename Kernel::Shared& shared, int block, bool backwards) {
    const int threads = kernel.threads();
    if constexpr (by_warps<Kernel, Phase>) {
        EXPECT_EQ(threads % warp_lanes, 0);
        const int warps = only_start_early ? 0 : threads / warp_lanes;
        for (int i = 0; i < warps; ++i) {
            kernel.template run_warp<Phase>(shared, block, Warp(backwards ? warps - 1 - i : i, 0, backwards));
        }
    } else {
        for (int i = 0; i < threads; ++i) {
            const int thread = backwards ? threads - 1 - i : i;
            if constexpr (Phase == 0 && StartsEarly<Kernel>) {
                run_first(kernel, shared, block, thread);
            } else if (!only_start_early) {
                kernel.template run<Phase>(shared, block, thread);
            }
        }
    }
    if (only_start_early) return Kernel::phases;
    if constexpr (Clustered<Kernel>) {
        if constexpr (Phase >= Kernel::last_shared_phase) {
            shared.cluster = nullptr;
            // The device's executor waits for the last time when the kernel ends.
            EXPECT_FALSE(kernel.cluster_waits(Phase));
        }
        if (kernel.cluster_waits(Phase)) return Phase + 1;
    }
    if constexpr (Phase + 1 < Kernel::phases) {
        return run_phases<Phase + 1>(kernel, shared, block, backwards);
    } else {
        return Kernel::phases;
    }
}

template <int Phase = 0, typename Kernel>
int run_phases_from(int phase, const Kernel& kernel, typename Kernel::Shared& shared, int block,
                    bool backwards) {
    if constexpr (Phase < Kernel::phases) {
        if (phase == Phase) return run_phases<Phase>(kernel, shared, block, backwards);
        return run_phases_from<Phase + 1>(phase, kernel, shared, block, backwards);
    } else {
        return phase;
    }
}

template <typename Kernel>
void run_cluster(const Kernel& kernel, int blocks, int first_block, bool backwards) {
    // Each in an allocation of its own, as long as was asked for: the address sanitizer sees what is beyond.
    std::vector<std::unique_ptr<std::byte[]>> memories;
    std::vector<std::byte*> addresses;
    for (int i = 0; i < blocks; ++i) {
        memories.push_back(std::make_unique<std::byte[]>(kernel.shared_bytes()));
        std::memset(memories.back().get(), 0xff, kernel.shared_bytes());
        addresses.push_back(memories.back().get());
    }
    std::vector<BlockMemory> shared;
    for (std::byte* own : addresses) shared.push_back({own, Kernel::clustered ? addresses.data() : nullptr});
    for (int phase = 0; phase < Kernel::phases;) {
        int next = phase;
        for (int i = 0; i < blocks; ++i) {
            const int number = backwards ? blocks - 1 - i : i;
            next = run_phases_from(phase, kernel, shared[static_cast<std::size_t>(number)],
                                   first_block + number, (first_block + number) % 2 == 1);
        }
        phase = next;
    }
}

template <typename Kernel>
void run_on_host(const Kernel& kernel) {
    ASSERT_GT(kernel.blocks(), 0);
    ASSERT_LE(kernel.blocks(), max_blocks);
    ASSERT_GT(kernel.threads(), 0);
    ASSERT_LE(kernel.threads(), Kernel::max_threads);
    if constexpr (HasBlockMemory<Kernel>) {
        int blocks = 1;
        if constexpr (Clustered<Kernel>) blocks = kernel.cluster_blocks();
        ASSERT_EQ(kernel.blocks() % blocks, 0);
        for (int first = 0; first < kernel.blocks(); first += blocks) {
            run_cluster(kernel, blocks, first, first / blocks % 2 == 1);
        }
    } else {
        const auto shared = std::make_unique<typename Kernel::Shared>();
        for (int block = 0; block < kernel.blocks(); ++block) {
            std::memset(static_cast<void*>(shared.get()), 0xff, sizeof(*shared));
            run_phases<0>(kernel, *shared, block, block % 2 == 1);
        }
    }
}

}  // namespace hacscale::cuda::testing
