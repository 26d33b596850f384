// Runs a kernel (kernels/cuda/device/host_device.hpp) on the CPU: every block, and in it every phase, and in
// that every thread. What a block shares starts as not-a-numbers, and every other block goes through its
// threads backwards, so that a phase that needs what another thread of the same phase writes is seen.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda::testing {

template <int Phase, typename Kernel>
void run_phases(const Kernel& kernel, typename Kernel::Shared& shared, int block, bool backwards) {
    const int threads = kernel.threads();
    for (int i = 0; i < threads; ++i) {
        kernel.template run<Phase>(shared, block, backwards ? threads - 1 - i : i);
    }
    if constexpr (Phase + 1 < Kernel::phases) run_phases<Phase + 1>(kernel, shared, block, backwards);
}

template <typename Kernel>
void run_on_host(const Kernel& kernel) {
    ASSERT_GT(kernel.blocks(), 0);
    ASSERT_LE(kernel.blocks(), most_blocks);
    ASSERT_GT(kernel.threads(), 0);
    ASSERT_LE(kernel.threads(), Kernel::max_threads);
    const auto shared = std::make_unique<typename Kernel::Shared>();
    for (int block = 0; block < kernel.blocks(); ++block) {
        std::memset(static_cast<void*>(shared.get()), 0xff, sizeof(*shared));
        run_phases<0>(kernel, *shared, block, block % 2 == 1);
    }
}

}  // namespace hacscale::cuda::testing
