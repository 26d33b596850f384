// How many threads, where, and what is said of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <atomic>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::host {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Core> two_cores{{0}, {1}};
const std::vector<Core> four_hyperthreads{{0, 2}, {1, 3}};

std::string unsupported_reason(const CpuResources& resources, int wanted) {
    try {
        choose_threads(resources, wanted);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(ThreadChoice, OneForEachPhysicalCore) {
    for (const auto& cores : {two_cores, four_hyperthreads}) {
        const ThreadChoice choice = choose_threads({cores, {}, {}}, 0);
        EXPECT_EQ(choice.threads, 2);
        EXPECT_THAT(choice.warnings, IsEmpty());
    }
}

TEST(ThreadChoice, MoreThanProcessorsAreRefused) {
    EXPECT_EQ(unsupported_reason({two_cores, {}, {}}, 8),
              "8 threads would share the 2 cores that this process may use; ask for 1 to 2 threads, or 0 for "
              "one on each core");
    EXPECT_THAT(unsupported_reason({four_hyperthreads, {}, {}}, 5), HasSubstr("2 cores with 4 hyperthreads"));
    EXPECT_EQ(choose_threads({four_hyperthreads, {}, {}}, 4).threads, 4);               // asked for by name
    EXPECT_THAT(unsupported_reason({{{1}}, {}, {}}, 2), HasSubstr("the 1 core that"));  // a taskset
}

TEST(ThreadChoice, AQuotaHasAsManyAsItHasWholeCores) {
    const auto chosen = [](double cores) { return choose_threads({two_cores, CpuQuota{cores, "f"}, {}}, 0); };
    EXPECT_EQ(chosen(1.0).threads, 1);
    EXPECT_EQ(chosen(1.9).threads, 1);
    EXPECT_THAT(chosen(1.9).warnings,
                ElementsAre("1 thread for 2 cores, because of the CPU quota of 1.90 cores (f)"));
    EXPECT_EQ(chosen(0.5).threads, 1);
    EXPECT_THAT(chosen(0.5).warnings, ElementsAre(AllOf(HasSubstr("quota of 0.50"), HasSubstr("stopped"))));
    for (const double enough : {1.9999, 2.0, 16.0}) {
        EXPECT_EQ(chosen(enough).threads, 2);
        EXPECT_THAT(chosen(enough).warnings, IsEmpty()) << enough;
    }
}

TEST(ThreadChoice, MoreThanTheQuotaAreWarnedOf) {
    const ThreadChoice choice = choose_threads({two_cores, CpuQuota{1.0, "/sys/cpu.max"}, {}}, 2);
    EXPECT_EQ(choice.threads, 2);
    EXPECT_TRUE(choice.above_quota);
    EXPECT_FALSE(choose_threads({two_cores, CpuQuota{1.0, "f"}, {}}, 0).above_quota);
    EXPECT_THAT(choice.warnings,
                ElementsAre(AllOf(HasSubstr("quota of 1.00 cores"), HasSubstr("/sys/cpu.max"))));
    EXPECT_THAT(choose_threads({two_cores, CpuQuota{1.0, "f"}, {}}, 1).warnings, IsEmpty());
}

TEST(ThreadChoice, TheClustersVariableDecidesAndIsNamed) {
    const ThreadChoice choice = choose_threads({two_cores, {}, "1"}, 0);
    EXPECT_EQ(choice.threads, 1);
    EXPECT_THAT(
        choice.warnings,
        ElementsAre("OMP_NUM_THREADS=1 decides: 1 thread instead of 2; --threads is stronger than it"));
    EXPECT_THAT(choose_threads({two_cores, {}, "2"}, 0).warnings, IsEmpty());
    EXPECT_EQ(choose_threads({two_cores, {}, "1,4"}, 0).threads, 1);
    EXPECT_EQ(choose_threads({two_cores, {}, "1"}, 2).threads, 2);
    EXPECT_THAT(choose_threads({two_cores, {}, "1"}, 2).warnings, IsEmpty());
}

TEST(ThreadChoice, TheClustersVariableDoesNotAskForTooMuch) {
    const ThreadChoice choice = choose_threads({two_cores, {}, "64"}, 0);
    EXPECT_EQ(choice.threads, 2);
    EXPECT_THAT(choice.warnings, ElementsAre(AllOf(HasSubstr("OMP_NUM_THREADS=64"), HasSubstr("2 cores"))));
    for (const char* nonsense : {"", "many", "0", "-2", "2x"}) {
        EXPECT_EQ(choose_threads({two_cores, {}, nonsense}, 0).threads, 2) << nonsense;
    }
}

TEST(ThreadChoice, PlacesAreWholeCoresAsLongAsThereAreEnough) {
    EXPECT_EQ(openmp_places(four_hyperthreads, 1), "{0,2}");
    EXPECT_EQ(openmp_places(four_hyperthreads, 2), "{0,2},{1,3}");
    EXPECT_EQ(openmp_places(four_hyperthreads, 3), "{0},{2},{1},{3}");
    EXPECT_EQ(openmp_places(two_cores, 2), "{0},{1}");
}

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
    const std::vector<int> allowed = allowed_processors();
    const auto threads_used = [] {
        std::mutex mutex;
        std::set<std::thread::id> used;
        std::set<std::vector<int>> masks;
        for_each_in_parallel(
            200,
            [&](std::size_t) {
                const std::lock_guard lock(mutex);
                used.insert(std::this_thread::get_id());
                masks.insert(allowed_processors());
                std::this_thread::yield();
            },
            4);
        return std::pair(used, masks);
    };
    keep_allowed_processors();
    EXPECT_EQ(kept_processors(), allowed);
    EXPECT_EQ(threads_used().second, std::set<std::vector<int>>{allowed});
    // As with taskset on one processor, before OpenMP.
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(allowed.front(), &one);
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    keep_allowed_processors();
    const auto [used, masks] = threads_used();
    sched_setaffinity(0, sizeof(before), &before);
    keep_allowed_processors();
    EXPECT_EQ(used, std::set<std::thread::id>{std::this_thread::get_id()});
    EXPECT_EQ(masks, std::set<std::vector<int>>{{allowed.front()}});
}

// OpenMP has pinned the thread that asks.
TEST(ForEachInParallel, LeavesTheProcessorThatItsCallerWasPinnedTo) {
    const std::vector<int> allowed = allowed_processors();
    if (allowed.size() < 2) GTEST_SKIP() << "skipped: there is one processor";
    keep_allowed_processors();
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
            masks.insert(allowed_processors());
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
}  // namespace hacscale::host
