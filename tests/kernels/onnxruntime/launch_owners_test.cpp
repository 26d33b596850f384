// Which operations launched which kernels, from made-up profiles of runs whose truth is known.
#include "kernels/onnxruntime/cuda/launch_owners.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.hpp"

namespace hacscale::onnxruntime {
namespace {

using cupti::TimedLaunch;
using ::testing::ElementsAre;

struct MadeUpRun {
    std::vector<OperationEvent> operations;
    std::vector<TimedLaunch> launches;
    std::vector<double> kernel_us;  // of each operation
};

// What the profiler of a run says, in whole microseconds, and what CUPTI says by a clock that began at another time. Operations follow
// each other closely; some launch nothing, as a reshape does.
MadeUpRun made_up_run(std::uint64_t seed, int operations) {
    std::mt19937_64 random(seed);
    const auto between = [&](double from, double to) {
        return std::uniform_real_distribution<double>(from, to)(random);
    };
    MadeUpRun run;
    const double clock_us = between(-1e6, 1e6);
    double now_us = between(20.0, 200.0);
    for (int i = 0; i < operations; ++i) {
        now_us += between(0.3, 2.0);
        const double start_us = now_us;
        double kernel_us = 0.0;
        const int kernels = i % 5 == 3 ? 0 : 1 + static_cast<int>(random() % 3);
        now_us += between(1.0, 4.0);
        for (int kernel = 0; kernel < kernels; ++kernel) {
            const double call_us = between(2.0, 6.0);
            const double on_device_us = between(1.0, 90.0);
            run.launches.push_back({now_us + clock_us, now_us + call_us + clock_us, on_device_us});
            kernel_us += on_device_us;
            now_us += call_us + between(0.2, 3.0);
        }
        run.operations.push_back({std::floor(start_us), std::floor(now_us - start_us) + 0.5});
        run.kernel_us.push_back(kernel_us);
    }
    return run;
}

TEST(LaunchOwners, AreFoundWhateverTheClocksSay) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const MadeUpRun run = made_up_run(seed, 5 + static_cast<int>(seed) * 2);
        const std::vector<double> found = kernel_us(run.operations, run.launches);
        ASSERT_EQ(found.size(), run.kernel_us.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_NEAR(found[i], run.kernel_us[i], 1e-9) << "seed " << seed << ", operation " << i;
        }
    }
}

// All alike: but for the ends, every operation could as well have its neighbour's launch.
TEST(LaunchOwners, OfEqualOperationsAreNotTheNeighbours) {
    std::vector<OperationEvent> operations;
    std::vector<TimedLaunch> launches;
    std::vector<double> expected;
    for (int i = 0; i < 40; ++i) {
        operations.push_back({10.0 * i, 9.5});
        launches.push_back({5000.0 + 10.0 * i + 3.0, 5000.0 + 10.0 * i + 6.0, 1.0 + i});
        expected.push_back(1.0 + i);
    }
    EXPECT_EQ(kernel_us(operations, launches), expected);
}

TEST(LaunchOwners, OperationsThatNeverRanHaveNone) {
    const std::vector<OperationEvent> operations{{0.0, 0.0}, {10.0, 9.5}, {0.0, 0.0}};
    EXPECT_THAT(kernel_us(operations, std::vector<TimedLaunch>{{3.0, 5.0, 2.0}, {6.0, 8.0, 4.0}}),
                ElementsAre(0.0, 6.0, 0.0));
    EXPECT_THAT(kernel_us(operations, {}), ElementsAre(0.0, 0.0, 0.0));
}

TEST(LaunchOwners, KernelsOfNothingAreAnError) {
    const std::vector<OperationEvent> operations{{10.0, 9.5}};
    const std::vector<TimedLaunch> launches{{3.0, 5.0, 2.0}, {103.0, 105.0, 2.0}, {203.0, 205.0, 2.0}};
    EXPECT_THROW(kernel_us(operations, launches), WorkError);
    EXPECT_THROW(kernel_us({}, launches), WorkError);
}

}  // namespace
}  // namespace hacscale::onnxruntime
