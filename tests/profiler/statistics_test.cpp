// Medians, intervals and means against what they are meant to say.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "profiler/timing/statistics.hpp"

namespace hacscale {
namespace {

std::vector<double> exponential(std::mt19937_64& random, int count) {
    std::exponential_distribution<double> distribution(1.0);
    std::vector<double> samples(count);
    for (double& sample : samples) sample = distribution(random);
    return samples;
}

// The order statistics that median_estimate() takes its interval between are not told, only half their
// distance; so the coverage is that of the published ranks, whose distance the half-width has to be.
struct Ranks {
    std::size_t low, high;
};
Ranks published_ranks(int n) {
    const double reach = 1.96 * std::sqrt(n) / 2.0;
    return {static_cast<std::size_t>(std::max(0.0, std::floor(n / 2.0 - reach))),
            static_cast<std::size_t>(std::min(n - 1.0, std::ceil(n / 2.0 + reach)))};
}

TEST(MedianEstimate, IntervalHoldsTheMedianInNearly95PercentOfTrials) {
    const double true_median = std::log(2.0);
    for (const int n : {60, 101, 400}) {
        std::mt19937_64 random(n);
        int covered = 0;
        constexpr int trials = 2000;
        for (int trial = 0; trial < trials; ++trial) {
            std::vector<double> samples = exponential(random, n);
            const MedianEstimate estimate = median_estimate(samples);
            std::sort(samples.begin(), samples.end());
            const auto [low, high] = published_ranks(n);
            ASSERT_DOUBLE_EQ(estimate.half_width, 0.5 * (samples[high] - samples[low]));
            if (samples[low] <= true_median && true_median <= samples[high]) ++covered;
        }
        const double share = static_cast<double>(covered) / trials;
        EXPECT_GE(share, 0.93) << n;
        EXPECT_LE(share, 0.98) << n;
    }
}

// What users read: median plus or minus the half-width.
TEST(MedianEstimate, MedianAndHalfWidthHoldTheTrueMedianAlmostAsOften) {
    std::mt19937_64 random(5);
    int covered = 0;
    constexpr int trials = 2000;
    for (int trial = 0; trial < trials; ++trial) {
        const MedianEstimate estimate = median_estimate(exponential(random, 100));
        if (std::abs(estimate.median - std::log(2.0)) <= estimate.half_width) ++covered;
    }
    EXPECT_GE(covered, 0.93 * trials);
    EXPECT_LE(covered, 0.98 * trials);
}

TEST(MedianEstimate, IsTheMiddleOfOddAndTheMeanOfTheMiddlesOfEvenCounts) {
    EXPECT_DOUBLE_EQ(median_estimate({3, 1, 2}).median, 2.0);
    EXPECT_DOUBLE_EQ(median_estimate({4, 1, 3, 2}).median, 2.5);
    EXPECT_DOUBLE_EQ(median_estimate({7}).median, 7.0);
}

TEST(MedianEstimate, KnowsThatFewSamplesSayNothing) {
    EXPECT_TRUE(std::isinf(median_estimate({1, 2, 3, 4, 5}).half_width));
    EXPECT_TRUE(std::isinf(median_estimate({1, 2, 3, 4, 5}).relative_half_width()));
    EXPECT_DOUBLE_EQ(median_estimate({1, 2, 3, 4, 5, 6}).half_width, 2.5);
}

TEST(MedianEstimate, DoesNotSeeAFewOutliers) {
    std::vector<double> samples(100, 10.0);
    samples[3] = samples[50] = samples[77] = 1e9;
    const MedianEstimate estimate = median_estimate(samples);
    EXPECT_DOUBLE_EQ(estimate.median, 10.0);
    EXPECT_DOUBLE_EQ(estimate.half_width, 0.0);
    EXPECT_DOUBLE_EQ(estimate.relative_half_width(), 0.0);
}

TEST(Quantile, IsLinearBetweenSortedSamples) {
    std::mt19937_64 random(9);
    for (int count = 1; count < 40; ++count) {
        const std::vector<double> samples = exponential(random, count);
        std::vector<double> sorted = samples;
        std::sort(sorted.begin(), sorted.end());
        EXPECT_DOUBLE_EQ(quantile(samples, 0.0), sorted.front());
        EXPECT_DOUBLE_EQ(quantile(samples, 1.0), sorted.back());
        EXPECT_NEAR(quantile(samples, 0.5), median_estimate(samples).median, 1e-12);
        for (int i = 0; i < count; ++i) {
            const double q = count == 1 ? 0.3 : static_cast<double>(i) / (count - 1);
            EXPECT_NEAR(quantile(samples, q), sorted[i], 1e-9);
        }
        double before = sorted.front();
        for (double q = 0.0; q <= 1.0; q += 0.01) {
            const double value = quantile(samples, q);
            EXPECT_GE(value, before);
            before = value;
        }
    }
    EXPECT_DOUBLE_EQ(quantile({10, 20}, 0.25), 12.5);
}

TEST(UpperPercentiles, AreThereFromEnoughSamplesOn) {
    std::vector<double> samples;
    const auto with = [&](std::size_t count) {
        samples.resize(count);
        std::iota(samples.begin(), samples.end(), 1.0);
        return upper_percentiles(samples);
    };
    EXPECT_EQ(with(0).p95, std::nullopt);
    EXPECT_EQ(with(58).p95, std::nullopt);
    EXPECT_EQ(with(58).reason, "p95 needs 59 passes and p99 299, and 58 were timed");
    EXPECT_DOUBLE_EQ(*with(59).p95, 56.1);
    EXPECT_EQ(with(298).p99, std::nullopt);
    EXPECT_EQ(with(298).reason, "p99 needs 299 passes, and 298 were timed");
    const UpperPercentiles all = with(401);
    EXPECT_DOUBLE_EQ(*all.p95, 381.0);
    EXPECT_DOUBLE_EQ(*all.p99, 397.0);
    EXPECT_EQ(all.samples, 401);
    EXPECT_EQ(all.reason, "");
}

// Where the counts come from: the chance that all samples are below the percentile is 5 % from there on.
TEST(UpperPercentiles, EnoughSamplesEncloseThePercentile) {
    EXPECT_LE(std::pow(0.95, min_for_p95), 0.05);
    EXPECT_GT(std::pow(0.95, min_for_p95 - 1), 0.05);
    EXPECT_LE(std::pow(0.99, min_for_p99), 0.05);
    EXPECT_GT(std::pow(0.99, min_for_p99 - 1), 0.05);
}

TEST(MeanEstimate, EqualsTwoPassesInHigherPrecision) {
    std::mt19937_64 random(13);
    for (const int count : {1, 2, 3, 10, 1000}) {
        for (const double offset : {0.0, 1e9}) {  // where a difference of squares would lose all digits
            std::vector<double> values = exponential(random, count);
            for (double& value : values) value += offset;
            long double sum = 0.0L;
            for (const double value : values) sum += value;
            const long double mean = sum / count;
            long double squares = 0.0L;
            for (const double value : values) squares += (value - mean) * (value - mean);
            const MeanEstimate estimate = mean_estimate(values);
            EXPECT_NEAR(estimate.mean, static_cast<double>(mean), 1e-12 * (offset + 1.0));
            if (count == 1) {
                EXPECT_EQ(estimate.half_width, std::numeric_limits<double>::infinity());
                continue;
            }
            const double expected = 1.96 * std::sqrt(static_cast<double>(squares) / (count - 1.0) / count);
            EXPECT_NEAR(estimate.half_width, expected, 1e-6 * expected);
        }
    }
    EXPECT_EQ(mean_estimate({}).mean, 0.0);
}

TEST(ChangeOverTime, ComparesTheHalves) {
    EXPECT_EQ(change_over_time({}), 1.0);
    EXPECT_EQ(change_over_time({5.0}), 1.0);
    EXPECT_EQ(change_over_time({2.0, 3.0}), 1.5);
    EXPECT_EQ(change_over_time({3.0, 1.0, 2.0, 8.0, 9.0, 5.0}), 4.0);
    EXPECT_EQ(change_over_time({4.0, 4.0, 4.0, 2.0, 2.0, 2.0, 2.0}), 0.5);
}

TEST(Spread, IsTheFactorBetweenTwoLevels) {
    EXPECT_EQ(spread({}), 1.0);
    EXPECT_EQ(spread({7.0}), 1.0);
    for (const int slow : {4, 5, 8}) {
        std::vector<double> samples(10, 1.0);
        std::fill_n(samples.begin(), slow, 1.25);
        EXPECT_DOUBLE_EQ(spread(samples), 1.25) << slow;
    }
    std::vector<double> with_outliers(20, 1.0);
    with_outliers[3] = 9.0;
    with_outliers[4] = 0.1;
    EXPECT_EQ(spread(with_outliers), 1.0);
}

}  // namespace
}  // namespace hacscale
