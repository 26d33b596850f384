// The choice among candidates, with times that the tests make up.
#include "kernels/cuda/candidate_timing.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <random>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"

namespace hacscale::cuda {
namespace {

std::size_t chosen(const std::vector<double>& times) {
    return fastest(times.size(), [&](std::size_t i) { return times[i]; }).chosen;
}

TEST(Fastest, TakesTheFastest) {
    EXPECT_EQ(chosen({10.0}), 0U);
    EXPECT_EQ(chosen({10.0, 5.0, 7.0}), 1U);
    EXPECT_EQ(chosen({10.0, 50.0, 7.0}), 2U);
}

TEST(Fastest, PrefersTheFirstUnlessAnotherIsPlainlyFaster) {
    EXPECT_EQ(chosen({100.0, 98.0}), 0U);
    EXPECT_EQ(chosen({100.0, 96.0}), 1U);
    EXPECT_EQ(chosen({100.0, 100.0, 100.0}), 0U);
}

TEST(Fastest, IsWithinThreePercentOfTheBestOverRandomTimes) {
    std::mt19937_64 generator(11);
    for (int round = 0; round < 200; ++round) {
        std::vector<double> times(1 + generator() % 7);
        for (double& time : times) time = 10.0 + static_cast<double>(generator() % 1000) / 100.0;
        const double best = *std::min_element(times.begin(), times.end());
        EXPECT_LE(times[chosen(times)], best / 0.97 + 1e-9);
    }
}

TEST(Fastest, InterleavesItsRounds) {
    // The device slows down all the while: whoever is timed last would lose if each were timed by itself.
    double now = 1.0;
    const Verdict verdict = fastest(2, [&](std::size_t i) {
        now *= 1.02;
        return now * (i == 0 ? 1.0 : 0.9);
    });
    EXPECT_EQ(verdict.chosen, 1U);
}

TEST(Fastest, ShufflesTheOrderOfEachRound) {
    // Whoever runs behind the third finds the device slowed down: in a fixed order always the same one would.
    std::size_t before = 0;
    std::vector<int> behind(3, 0);
    const auto time_once = [&](std::size_t i) {
        if (before == 2) ++behind[i];
        before = i;
        return 10.0;
    };
    fastest(3, time_once, 7);
    for (const int times : {behind[0], behind[1]}) {
        EXPECT_GE(times, 2);
        EXPECT_LE(times, 12);
    }
}

TEST(Fastest, IsRepeatedByItsSeed) {
    const auto order = [](std::uint64_t seed) {
        std::vector<std::size_t> runs;
        const auto time_once = [&](std::size_t i) {
            runs.push_back(i);
            return 1.0;
        };
        fastest(4, time_once, seed);
        return runs;
    };
    EXPECT_EQ(order(3), order(3));
    EXPECT_NE(order(3), order(4));
}

TEST(Fastest, TimesThoseFarBehindAFewTimesOnly) {
    std::vector<int> runs(64, 0);
    const Verdict verdict = fastest(64, [&](std::size_t i) {
        ++runs[i];
        return 10.0 + 0.05 * static_cast<double>(63 - i);  // the last is the fastest, all are within 1.32
    });
    EXPECT_GE(verdict.chosen, 56U);
    EXPECT_EQ(runs[63], 16);
    EXPECT_EQ(runs[0], 4) << "a warm-up and three rounds";
    EXPECT_LT(std::accumulate(runs.begin(), runs.end(), 0), 64 * 16 / 2);
}

TEST(Fastest, OneInterruptionDecidesNothing) {
    int calls = 0;
    const Verdict verdict = fastest(2, [&](std::size_t i) {
        ++calls;
        if (i == 1 && calls % 10 == 0) return 1000.0;
        return i == 0 ? 10.0 : 9.0;
    });
    EXPECT_EQ(verdict.chosen, 1U);
    EXPECT_DOUBLE_EQ(verdict.median_us[1], 9.0);
}

TEST(Fastest, DropsACandidateThatCannotRun) {
    int runs_of_first = 0;
    const Verdict verdict = fastest(3, [&](std::size_t i) -> double {
        if (i == 0) {
            ++runs_of_first;
            throw WorkError("launch refused");
        }
        if (i == 1) throw OutOfDeviceMemory("no workspace");
        return 5.0;
    });
    EXPECT_EQ(verdict.chosen, 2U);
    EXPECT_EQ(runs_of_first, 1);
    EXPECT_THAT(verdict.failures, ::testing::ElementsAre("launch refused", "no workspace", ""));
    EXPECT_TRUE(std::isinf(verdict.median_us[0]));
}

TEST(Fastest, DropsACandidateThatFailsLater) {
    int runs = 0;
    const Verdict verdict = fastest(2, [&](std::size_t i) {
        if (i == 1 && ++runs == 6) throw WorkError("broke");
        return i == 0 ? 10.0 : 1.0;
    });
    EXPECT_EQ(verdict.chosen, 0U);
}

TEST(Fastest, SaysWhyWhenNoneCanRun) {
    try {
        fastest(2, [](std::size_t i) -> double { throw WorkError(i == 0 ? "first" : "second"); });
        FAIL();
    } catch (const WorkError& error) {
        EXPECT_STREQ(error.what(), "no kernel can run it; first; second");
    }
}

TEST(Fastest, ALostDeviceIsNotACandidatesFault) {
    EXPECT_THROW(fastest(2, [](std::size_t) -> double { throw DeviceLost("gone"); }), DeviceLost);
}

}  // namespace
}  // namespace hacscale::cuda
