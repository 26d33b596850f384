#include "training/importance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.hpp"

namespace hacscale {
namespace {

TEST(RankCorrelation, OfOrdersThatAgreeOrAreOpposed) {
    EXPECT_DOUBLE_EQ(*rank_correlation({1, 2, 3, 10}, {0.1, 0.5, 0.6, 0.7}), 1.0);
    EXPECT_DOUBLE_EQ(*rank_correlation({1, 2, 3, 10}, {4, 3, 2, -1}), -1.0);
}

// The textbook's formula for values without ties: 1 - 6 sum d^2 / (n (n^2 - 1)).
TEST(RankCorrelation, EqualsTheFormulaWithoutTies) {
    // Ranks 0 1 2 3 4 against 1 0 2 4 3: the differences squared sum to 4.
    EXPECT_NEAR(*rank_correlation({1, 2, 3, 4, 5}, {20, 10, 30, 50, 40}), 1.0 - 6.0 * 4 / (5 * 24), 1e-12);
}

TEST(RankCorrelation, EqualValuesShareTheirRank) {
    // Ranks 0.5 0.5 2 against 0 1 2: covariance 1.5, variances 1.5 and 2.
    EXPECT_NEAR(*rank_correlation({7, 7, 9}, {1, 2, 3}), 1.5 / std::sqrt(1.5 * 2.0), 1e-12);
}

TEST(RankCorrelation, IsTheSameForAnyMonotoneScale) {
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (int round = 0; round < 100; ++round) {
        std::vector<double> a, b, bent;
        for (int i = 0; i < 12; ++i) {
            a.push_back(normal(random));
            b.push_back(a.back() + normal(random));
            bent.push_back(std::exp(3.0 * b.back()));
        }
        const double rho = *rank_correlation(a, b);
        EXPECT_NEAR(*rank_correlation(a, bent), rho, 1e-12);
        EXPECT_NEAR(*rank_correlation(b, a), rho, 1e-12);
        EXPECT_LE(std::abs(rho), 1.0 + 1e-12);
    }
}

TEST(RankCorrelation, IsNothingWhereNothingIsRanked) {
    EXPECT_FALSE(rank_correlation({1, 2}, {1, 2}));
    EXPECT_FALSE(rank_correlation({1, 1, 1}, {1, 2, 3}));
    EXPECT_THROW(rank_correlation({1, 2, 3}, {1, 2}), InputError);
}

}  // namespace
}  // namespace hacscale
