// Each piece of work is done once, whatever the number of threads.
#include "kernels/cuda/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace hacscale::cuda {
namespace {

TEST(ForEachInParallel, DoesEveryPieceOnce) {
    for (const std::size_t threads : {1u, 2u, 7u, 16u}) {
        for (const std::size_t count : {0u, 1u, 2u, 15u, 500u}) {
            std::vector<std::atomic<int>> done(count);
            for_each_in_parallel(
                count, [&](std::size_t i) { ++done[i]; }, threads);
            for (const auto& times : done)
                EXPECT_EQ(times, 1) << threads << " threads, " << count << " pieces";
        }
    }
}

TEST(ForEachInParallel, ThrowsTheFirstExceptionWhenAllHaveEnded) {
    std::atomic<int> running = 0;
    const auto work = [&](std::size_t i) {
        ++running;
        const bool fails = i == 3;
        --running;
        if (fails) throw std::runtime_error("three");
    };
    for (const std::size_t threads : {1u, 4u}) {
        EXPECT_THROW(for_each_in_parallel(100, work, threads), std::runtime_error);
        EXPECT_EQ(running, 0);
    }
}

}  // namespace
}  // namespace hacscale::cuda
