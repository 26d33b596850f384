#include "scaling/planner/graph_front.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.hpp"
#include "tests/scaling/random_graph.hpp"

namespace hacscale {
namespace {

using testing::brute_force_front;
using testing::equal_but_for_ties;
using testing::FrontPoint;
using testing::points_of;
using testing::random_graph_limits;
using testing::random_graph_problem;

void expect_choices_are_real(const GraphProblem& problem, const FrontLimits& limits, const GraphFront& front,
                             std::uint64_t seed) {
    for (std::size_t i = 0; i < front.size(); ++i) {
        const auto totals = totals_of(problem, front.choices[i]);
        ASSERT_TRUE(totals.has_value()) << "seed " << seed;
        EXPECT_EQ(totals->cost, front.costs[i]) << "seed " << seed;
        EXPECT_EQ(totals->gain, front.gains[i]) << "seed " << seed;
        EXPECT_EQ(totals->usage, front.usage[i]) << "seed " << seed;
        EXPECT_TRUE(limits.caps.admit(totals->usage)) << "seed " << seed;
        if (i == 0) continue;
        EXPECT_LT(front.costs[i - 1], front.costs[i]) << "seed " << seed;
        EXPECT_LT(front.gains[i - 1], front.gains[i]) << "seed " << seed;
    }
}

// Bounds are refined for some problems only: the front does not depend on it.
GraphEffort effort_for(std::uint64_t seed) {
    GraphEffort effort;
    effort.refinements = seed % 5 == 0 ? 3 : 0;
    return effort;
}

// No table that elimination makes may have more entries: many problems are too wide.
GraphEffort narrow() {
    GraphEffort effort;
    effort.window_rounds = 2;
    effort.max_clique = 16;
    return effort;
}

// A thousand seeds, a part in each test.
class GraphFrontOfSeeds : public ::testing::TestWithParam<std::uint64_t> {
protected:
    static constexpr std::uint64_t parts = 10;
    static constexpr std::uint64_t seeds = 1000 / parts;
    std::uint64_t first() const { return GetParam() * seeds; }
};
INSTANTIATE_TEST_SUITE_P(Parts, GraphFrontOfSeeds, ::testing::Range<std::uint64_t>(0, 10));

TEST_P(GraphFrontOfSeeds, EqualsBruteForce) {
    std::size_t points = 0;
    int capped = 0;
    for (std::uint64_t seed = first(); seed < first() + seeds; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = random_graph_problem(random);
        const FrontLimits limits = random_graph_limits(problem, random);
        const GraphFront front = graph_front(problem, limits, effort_for(seed));
        ASSERT_TRUE(front.exact) << "seed " << seed;
        ASSERT_TRUE(equal_but_for_ties(points_of(front), brute_force_front(problem, limits)))
            << "seed " << seed;
        expect_choices_are_real(problem, limits, front, seed);
        points += front.size();
        capped += limits.caps.any() ? 1 : 0;
    }
    EXPECT_GT(points, 250u);  // the problems are not trivial
    EXPECT_GT(capped, 30);
}

TEST_P(GraphFrontOfSeeds, KeepsEpsilonsPromise) {
    for (std::uint64_t seed = first(); seed < first() + seeds; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = random_graph_problem(random);
        FrontLimits limits = random_graph_limits(problem, random);
        const std::vector<FrontPoint> exact = brute_force_front(problem, limits);
        limits.epsilon = seed % 3 == 0 ? 0.001 : 0.05 * static_cast<double>(1 + seed % 9);
        const GraphFront front = graph_front(problem, limits, effort_for(seed));
        ASSERT_TRUE(front.exact) << "seed " << seed;
        expect_choices_are_real(problem, limits, front, seed);
        const std::vector<FrontPoint> points = points_of(front);
        for (const FrontPoint& point : exact) {
            const double allowed = (1.0 + limits.epsilon) * static_cast<double>(point.cost);
            const bool met = std::any_of(points.begin(), points.end(), [&](const FrontPoint& other) {
                return static_cast<double>(other.cost) <= allowed && other.gain >= point.gain;
            });
            ASSERT_TRUE(met) << "seed " << seed << ", cost " << point.cost;
        }
    }
}

TEST(GraphFront, OfTooWideProblemsIsRealAndBoundedFromAbove) {
    int bounded = 0;
    int found = 0;
    int possible = 0;
    double gained = 0.0;
    double best = 0.0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = random_graph_problem(random);
        const FrontLimits limits = random_graph_limits(problem, random);
        const GraphFront front = graph_front(problem, limits, narrow());
        bounded += front.exact ? 0 : 1;
        expect_choices_are_real(problem, limits, front, seed);
        const std::vector<FrontPoint> exact = brute_force_front(problem, limits);
        for (const FrontPoint& point : exact) {
            ASSERT_TRUE(front.max_gain(point.cost).has_value()) << "seed " << seed;
            ASSERT_GE(*front.max_gain(point.cost), static_cast<double>(point.gain)) << "seed " << seed;
            const auto at = front.best_within(point.cost);
            if (!at) continue;
            EXPECT_LE(front.gains[*at], point.gain) << "seed " << seed;
            EXPECT_GE(front.gap(), *front.max_gain(point.cost) - static_cast<double>(front.gains[*at]))
                << "seed " << seed;
        }
        if (front.exact || exact.empty()) continue;
        ++possible;
        found += front.size() > 0 ? 1 : 0;
        if (front.size() == 0) continue;
        const auto range = static_cast<double>(exact.back().gain - exact.front().gain);
        if (range == 0.0) continue;
        best += 1.0;
        gained += std::max(0.0, static_cast<double>(front.gains.back() - exact.front().gain) / range);
    }
    EXPECT_GT(bounded, 8);
    // Windows find nearly all of what there is in problems as small as these.
    EXPECT_GE(found, possible * 8 / 10);
    EXPECT_GE(gained, 0.8 * best);
}

// A search under caps that may compare hardly any partial choices: what prices find, and a gap that holds.
TEST(GraphFront, UnderCapsIsRealAndBoundedWhereItIsCutShort) {
    int cut_short = 0;
    double gained = 0.0;
    double best = 0.0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = random_graph_problem(random);
        const FrontLimits limits = random_graph_limits(problem, random);
        if (!limits.caps.any()) continue;
        GraphEffort effort;
        effort.refinements = 2;
        effort.max_capped_candidates = 0;
        const GraphFront front = graph_front(problem, limits, effort);
        expect_choices_are_real(problem, limits, front, seed);
        if (front.exact) continue;
        const std::vector<FrontPoint> exact = brute_force_front(problem, limits);
        for (const FrontPoint& point : exact) {
            ASSERT_TRUE(front.max_gain(point.cost).has_value()) << "seed " << seed;
            ASSERT_GE(*front.max_gain(point.cost), static_cast<double>(point.gain)) << "seed " << seed;
        }
        if (exact.empty() || front.size() == 0) continue;
        ++cut_short;
        const auto range = static_cast<double>(exact.back().gain - exact.front().gain);
        if (range == 0.0) continue;
        best += 1.0;
        gained += std::max(0.0, static_cast<double>(front.gains.back() - exact.front().gain) / range);
    }
    EXPECT_GT(cut_short, 15);
    EXPECT_GE(gained, 0.8 * best);
}

TEST(GraphFront, SolvesALongChainOfEqualParts) {
    // 30 layers over 10 widths: 10^31 choices. Every width is worth its square root more, and costs are products.
    GraphProblem problem;
    constexpr int widths = 10;
    FactorTable layer;
    FactorTable worth;
    for (int a = 1; a <= widths; ++a) {
        BlockOption entry{0, static_cast<std::int64_t>(1e6 * std::sqrt(a)), {}};
        worth.push_back(entry);
        for (int b = 1; b <= widths; ++b)
            layer.push_back({std::int64_t{1000} * a * b, 0, {a * b, a * b, 0, 0}});
    }
    problem.tables = {layer, worth};
    for (int v = 0; v <= 30; ++v) {
        problem.values.push_back(widths);
        problem.factors.push_back({{v}, 1});
        if (v > 0) problem.factors.push_back({{v - 1, v}, 0});
    }
    FrontLimits limits;
    limits.max_cost = 30'000 * 25;  // all at 5
    limits.epsilon = 0.001;
    const GraphFront front = graph_front(problem, limits);
    ASSERT_TRUE(front.exact);
    expect_choices_are_real(problem, limits, front, 0);
    const auto best = front.best_within(limits.max_cost);
    ASSERT_TRUE(best.has_value());
    const double all_at_five = 31.0 * 1e6 * std::sqrt(5.0);
    EXPECT_GT(static_cast<double>(front.gains[*best]), 0.999 * all_at_five);
    // 30 equal layers cost at least 30 x 1000.
    EXPECT_EQ(front.costs.front(), 30'000);
}

TEST(GraphFront, FindsTheLeastCost) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = random_graph_problem(random);
        FrontLimits limits = random_graph_limits(problem, random);
        limits.max_cost = std::int64_t{1} << 52;
        const std::vector<FrontPoint> exact = brute_force_front(problem, limits);
        const auto least = min_cost(problem, limits.caps);
        ASSERT_EQ(least.has_value(), !exact.empty()) << "seed " << seed;
        if (!least) continue;
        EXPECT_EQ(*least, exact.front().cost) << "seed " << seed;
    }
}

TEST(GraphFront, RefusesLimitsThatMakeNoSense) {
    GraphProblem problem;
    problem.values = {1};
    problem.tables = {{BlockOption{5, 7, {}}}};
    problem.factors = {{{0}, 0}};
    FrontLimits limits;
    limits.max_cost = 10;
    EXPECT_EQ(graph_front(problem, limits).size(), 1u);
    limits.max_cost = 4;
    EXPECT_EQ(graph_front(problem, limits).size(), 0u);
    limits.max_cost = -1;
    EXPECT_THROW(graph_front(problem, limits), InputError);
    limits.max_cost = 10;
    limits.epsilon = 1.0;
    EXPECT_THROW(graph_front(problem, limits), InputError);
    limits.epsilon = 0.0;
    limits.caps.memory_bytes = 100;
    EXPECT_THROW(graph_front(problem, limits), InputError);
}

TEST(GraphFront, StatesAGapWhenMemoryRunsOut) {
    std::mt19937_64 random(3);
    GraphProblem problem;
    for (int v = 0; v < 8; ++v) {
        problem.values.push_back(6);
        FactorTable table(6);
        for (BlockOption& entry : table) {
            entry.cost = std::uniform_int_distribution<std::int64_t>(0, 1'000'000)(random);
            entry.gain = std::uniform_int_distribution<std::int64_t>(0, 1'000'000)(random);
        }
        problem.tables.push_back(table);
        problem.factors.push_back({{v}, v});
    }
    FrontLimits limits;
    limits.max_cost = 8'000'000;
    EXPECT_TRUE(graph_front(problem, limits).exact);
    limits.max_bytes = 1;
    const GraphFront front = graph_front(problem, limits);
    EXPECT_FALSE(front.exact);
    EXPECT_GT(front.gap(), 0.0);
    expect_choices_are_real(problem, limits, front, 0);
}

TEST(GraphProblem, RefusesTablesThatDoNotFit) {
    GraphProblem problem;
    problem.values = {2, 3, 4};
    problem.tables = {FactorTable(6), FactorTable(4)};
    problem.factors = {{{0, 1}, 0}};
    problem.derivations = {{0, 1, 2, 1, 2, 3}};
    problem.derived = {{2, 0, 1, 0}};
    EXPECT_NO_THROW(check(problem));
    GraphProblem wrong = problem;
    wrong.factors[0].table = 1;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.factors[0].variables = {0, 3};
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.derivations[0][0] = 4;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.derived = {{2, 0, 2, 0}};
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.tables[0][0].cost = -1;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.tables[0][0].cost = std::int64_t{1} << 53;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.values[1] = 0;
    EXPECT_THROW(check(wrong), InputError);
}

}  // namespace
}  // namespace hacscale
