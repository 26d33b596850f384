#include "harness/compare/describe.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

#include "sample_comparison.hpp"

namespace hacscale::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Relation reversed(Relation relation) {
    switch (relation) {
        case Relation::dominates:
            return Relation::dominated;
        case Relation::dominated:
            return Relation::dominates;
        default:
            return relation;
    }
}

TEST(Verdict, OneLeadByMoreThanNoiseAndNoLagDominates) {
    const records::StrategyRow base = measured("base", 100.0, 0.5, 0.0);
    EXPECT_EQ(relation(measured("a", 100.5, 0.5, 0.1), base), Relation::dominates);
    EXPECT_EQ(relation(measured("a", 98.0, 0.5, 0.0), base), Relation::dominates);
    EXPECT_EQ(relation(measured("a", 102.0, 0.5, 0.0), base), Relation::dominated);
    EXPECT_EQ(relation(measured("a", 102.0, 0.5, 0.1), base), Relation::none);
    EXPECT_EQ(relation(measured("a", 100.5, 0.5, 0.0), base), Relation::equal);
    // The same two latencies, known better.
    EXPECT_EQ(relation(measured("a", 100.5, 0.1, 0.0), measured("base", 100.0, 0.1, 0.0)),
              Relation::dominated);
}

TEST(Verdict, WhatWasNotMeasuredIsNotJudged) {
    const records::StrategyRow good = measured("good", 100.0, 0.5, 0.5);
    records::StrategyRow predicted = measured("predicted", 200.0, 0.5, 0.1);
    predicted.measured_us.reset();
    EXPECT_EQ(relation(good, predicted), Relation::none);
    records::StrategyRow noisy = measured("noisy", 200.0, 0.5, 0.1);
    noisy.status = records::StrategyStatus::noisy;
    EXPECT_EQ(relation(good, noisy), Relation::none);
    EXPECT_EQ(relation(noisy, good), Relation::none);
    records::StrategyRow no_gain = measured("no gain", 200.0, 0.5, 0.1);
    no_gain.gain.reset();
    EXPECT_EQ(relation(good, no_gain), Relation::none);
}

TEST(Verdict, AccuracyCountsWhereBothWereTrainedAndItsNoiseIsKnown) {
    const records::StrategyRow larger = measured("larger", 100.0, 0.5, 0.1);
    const records::StrategyRow base = measured("base", 100.0, 0.5, 0.0);
    const records::StrategyRow trained_base = trained(base, 92.0, 0.1, 3);
    EXPECT_EQ(relation(trained(larger, 91.0, 0.1, 3), base), Relation::dominates);
    EXPECT_EQ(relation(trained(larger, 91.0, 0.1, 3), trained_base), Relation::none);
    EXPECT_EQ(relation(trained(larger, 91.9, 0.1, 3), trained_base), Relation::dominates);
    EXPECT_EQ(relation(trained(base, 93.0, 0.1, 3), trained_base), Relation::dominates);
    EXPECT_EQ(relation(trained(base, 93.0, std::nullopt, 1), trained_base), Relation::equal);
}

// Worked by hand: standard errors 0.1/sqrt(3) and 0.2/sqrt(3), 2.94 degrees of freedom rounded down to 2.
TEST(Verdict, TheDifferenceOfMeansHasWelchsInterval) {
    const std::optional<double> half_width = difference_half_width({92.0, 0.1, 3}, {91.0, 0.2, 3});
    EXPECT_NEAR(*half_width, 4.303 * std::sqrt(0.05 / 3.0), 1e-9);
    EXPECT_NEAR(*difference_half_width({92.0, 0.1, 3}, {91.0, 0.1, 3}), 2.776 * std::sqrt(0.02 / 3.0), 1e-9);
    EXPECT_FALSE(difference_half_width({92.0, std::nullopt, 1}, {91.0, 0.2, 3}).has_value());
    EXPECT_EQ(difference_half_width({92.0, 0.0, 3}, {91.0, 0.0, 3}), 0.0);
    EXPECT_NEAR(*difference_half_width({92.0, 1.0, 1000}, {91.0, 1.0, 1000}), 2.042 * std::sqrt(0.002), 1e-9);
}

TEST(Verdict, RelationsAreMirroredAndEverythingEqualsItself) {
    std::mt19937 random(5);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    const auto draw = [&] {
        // Coarse values, so that ties come about.
        records::StrategyRow row = measured("x", 100.0 + std::floor(3.0 * share(random)), share(random),
                                            0.1 * std::floor(3.0 * share(random)));
        return share(random) < 0.5
                   ? row
                   : trained(row, 90.0 + share(random), 0.3 * share(random), share(random) < 0.5 ? 2 : 5);
    };
    int dominating = 0;
    for (int i = 0; i < 2000; ++i) {
        const records::StrategyRow a = draw();
        const records::StrategyRow b = draw();
        const Relation found = relation(a, b);
        EXPECT_EQ(relation(b, a), reversed(found));
        EXPECT_EQ(relation(a, a), Relation::equal);
        dominating += found == Relation::dominates ? 1 : 0;
        records::StrategyRow better = a;
        better.gain = *a.gain + 0.01;
        EXPECT_EQ(relation(better, a), Relation::dominates);
    }
    EXPECT_GT(dominating, 100);
}

TEST(Verdict, NamesWhomARowDominatesAndEquals) {
    records::ComparisonRecord record = three_rows();
    add_verdict(record);
    EXPECT_THAT(record.strategies[1].dominates, ElementsAre("base", "uniform"));
    EXPECT_THAT(record.strategies[1].equal_to, IsEmpty());
    EXPECT_THAT(record.base.equal_to, ElementsAre("uniform"));
    EXPECT_THAT(record.strategies[0].equal_to, ElementsAre("base"));
    record.strategies[1].measured_us = 200.0;
    add_verdict(record);
    EXPECT_THAT(record.strategies[1].dominates, IsEmpty()) << "a verdict is drawn anew";
}

}  // namespace
}  // namespace hacscale::harness
