// Each piece of work is done once, whatever the number of threads.
#include "kernels/cuda/parallel.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::cuda {
namespace {

TEST(ForEachInParallel, DoesEveryPieceOnce) {
    for (const std::size_t threads : {1u, 2u, 7u, 16u}) {
        for (const std::size_t count : {0u, 1u, 2u, 15u, 500u}) {
            std::vector<std::atomic<int>> done(count);
            for_each_in_parallel(
                count, [&](std::size_t i) { ++done[i]; }, threads);
            for (const auto& times : done) {
                EXPECT_EQ(times, 1) << threads << " threads, " << count << " pieces";
            }
        }
    }
}

// taskset's choice holds: planning on other cores would disturb whoever measures there.
TEST(ForEachInParallel, KeepsToTheProcessorsThatTheProcessWasAllowed) {
    const std::vector<int> allowed = host::allowed_processors();
    const auto threads_used = [] {
        std::mutex mutex;
        std::set<std::thread::id> used;
        std::set<std::vector<int>> masks;
        for_each_in_parallel(
            200,
            [&](std::size_t) {
                const std::lock_guard lock(mutex);
                used.insert(std::this_thread::get_id());
                masks.insert(host::allowed_processors());
                std::this_thread::yield();
            },
            4);
        return std::pair(used, masks);
    };
    host::keep_allowed_processors();
    EXPECT_EQ(host::kept_processors(), allowed);
    EXPECT_EQ(threads_used().second, std::set<std::vector<int>>{allowed});
    // As with taskset on one processor, before OpenMP.
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(allowed.front(), &one);
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    host::keep_allowed_processors();
    const auto [used, masks] = threads_used();
    sched_setaffinity(0, sizeof(before), &before);
    host::keep_allowed_processors();
    EXPECT_EQ(used, std::set<std::thread::id>{std::this_thread::get_id()});
    EXPECT_EQ(masks, std::set<std::vector<int>>{{allowed.front()}});
}

// OpenMP has pinned the thread that asks.
TEST(ForEachInParallel, LeavesTheProcessorThatItsCallerWasPinnedTo) {
    const std::vector<int> allowed = host::allowed_processors();
    if (allowed.size() < 2) GTEST_SKIP() << "skipped: there is one processor";
    host::keep_allowed_processors();
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(allowed.front(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    std::mutex mutex;
    std::set<std::vector<int>> masks;
    for_each_in_parallel(
        50,
        [&](std::size_t) {
            const std::lock_guard lock(mutex);
            masks.insert(host::allowed_processors());
        },
        2);
    sched_setaffinity(0, sizeof(before), &before);
    EXPECT_EQ(masks, std::set<std::vector<int>>{allowed});
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
