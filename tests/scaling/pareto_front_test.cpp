#include "scaling/planner/pareto_front.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "tests/scaling/random_chain.hpp"

namespace hacscale {
namespace {

using testing::brute_force_front;
using testing::equal_but_for_ties;
using testing::evaluate;
using testing::FrontPoint;
using testing::points_of;
using testing::random_limits;
using testing::random_problem;

void expect_choices_are_real(const ChainProblem& problem, const ParetoFront& front) {
    const std::vector<FrontPoint> points = points_of(front);
    for (std::size_t i = 0; i < front.size(); ++i) {
        const auto value = evaluate(problem, front.choice(i));
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(*value, points[i]);
    }
}

FrontPoint point(std::int64_t cost, std::int64_t gain, std::int64_t params) {
    FrontPoint point{cost, gain, {}};
    point.usage.params = params;
    return point;
}

// One width an option.
ChainProblem one_stage(const std::vector<FrontPoint>& options) {
    ChainStage stage = make_stage(1, static_cast<int>(options.size()), {1});
    for (std::size_t i = 0; i < options.size(); ++i) {
        stage.first[i] = {{options[i].cost, options[i].gain, options[i].usage}};
    }
    ChainProblem problem;
    problem.chains.emplace_back().stages = {stage};
    return problem;
}

FrontLimits up_to(std::int64_t cost) {
    FrontLimits limits;
    limits.max_cost = cost;
    return limits;
}

TEST(ParetoFront, EqualsBruteForceOnAThousandSeeds) {
    std::size_t points = 0;
    int capped = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        std::mt19937_64 random(seed);
        const ChainProblem problem = random_problem(random);
        const FrontLimits limits = random_limits(problem, random);
        const ParetoFront front = pareto_front(problem, limits);
        ASSERT_TRUE(equal_but_for_ties(points_of(front), brute_force_front(problem, limits)))
            << "seed " << seed;
        expect_choices_are_real(problem, front);
        points += front.size();
        capped += limits.caps.any() ? 1 : 0;
    }
    EXPECT_GT(points, 2500u);  // the problems are not trivial
    EXPECT_GT(capped, 400);
}

TEST(ParetoFront, KeepsEpsilonsPromiseOnAThousandSeeds) {
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        std::mt19937_64 random(seed);
        const ChainProblem problem = random_problem(random);
        FrontLimits limits = random_limits(problem, random);
        const std::vector<FrontPoint> exact = brute_force_front(problem, limits);
        limits.epsilon = seed % 3 == 0 ? 0.001 : 0.05 * static_cast<double>(1 + seed % 9);
        const ParetoFront front = pareto_front(problem, limits);
        expect_choices_are_real(problem, front);
        const std::vector<FrontPoint> points = points_of(front);
        for (const FrontPoint& point : exact) {
            const double allowed = (1.0 + limits.epsilon) * static_cast<double>(point.cost);
            const bool met = std::any_of(points.begin(), points.end(), [&](const FrontPoint& other) {
                return static_cast<double>(other.cost) <= allowed && other.gain >= point.gain;
            });
            ASSERT_TRUE(met) << "seed " << seed << ", cost " << point.cost;
        }
        for (std::size_t i = 1; i < points.size(); ++i) {
            EXPECT_LT(points[i - 1].cost, points[i].cost);
            EXPECT_LT(points[i - 1].gain, points[i].gain);
        }
        for (const FrontPoint& point : points) {
            EXPECT_TRUE(limits.caps.admit(point.usage));
        }
    }
}

// Two hundred seeds, a part in each test.
class MinUsageOfSeeds : public ::testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Parts, MinUsageOfSeeds, ::testing::Range<std::uint64_t>(0, 200, 50));

TEST_P(MinUsageOfSeeds, EqualsBruteForce) {
    for (std::uint64_t seed = GetParam(); seed < GetParam() + 50; ++seed) {
        std::mt19937_64 random(seed);
        const ChainProblem problem = random_problem(random);
        FrontLimits limits = random_limits(problem, random);
        limits.caps = {};
        std::optional<ResourceUsage> least;
        std::int64_t min_memory = 0;
        for (const FrontPoint& point : testing::all_points(problem, limits)) {
            const ResourceUsage& usage = point.usage;
            min_memory = least ? std::min(min_memory, usage.memory_bytes()) : usage.memory_bytes();
            if (!least) least = usage;
            least->params = std::min(least->params, usage.params);
            least->macs = std::min(least->macs, usage.macs);
        }
        const auto found = [&](Resource need) { return min_usage(problem, limits.max_cost, need); };
        ASSERT_EQ(found(Resource::params).has_value(), least.has_value());
        if (!least) continue;
        EXPECT_EQ(found(Resource::params), least->params) << "seed " << seed;
        EXPECT_EQ(found(Resource::macs), least->macs) << "seed " << seed;
        EXPECT_EQ(found(Resource::memory_bytes), min_memory) << "seed " << seed;
    }
}

TEST(ParetoFront, TiesGoToFewerParams) {
    const ParetoFront front = pareto_front(
        one_stage({point(5, 7, 30), point(5, 7, 20), point(5, 7, 40), point(6, 7, 1)}), up_to(10));
    EXPECT_EQ(points_of(front), (std::vector<FrontPoint>{point(5, 7, 20)}));
    EXPECT_EQ(front.choice(0).widths, std::vector<int>{1});
}

TEST(ParetoFront, ACapOnParamsBringsBackWhatItHadHidden) {
    const ChainProblem problem = one_stage({point(5, 7, 100), point(6, 6, 10), point(7, 5, 1)});
    FrontLimits limits = up_to(10);
    limits.caps.params = 99;
    EXPECT_EQ(points_of(pareto_front(problem, limits)), (std::vector<FrontPoint>{point(6, 6, 10)}));
    limits.caps.params = 0;
    EXPECT_EQ(pareto_front(problem, limits).size(), 0u);
}

TEST(ParetoFront, NothingAffordableGivesAnEmptyFront) {
    const ParetoFront front = pareto_front(one_stage({point(5, 7, 1)}), up_to(4));
    EXPECT_EQ(front.size(), 0u);
    EXPECT_FALSE(front.best_within(4).has_value());
}

TEST(ParetoFront, FindsTheBestWithinACost) {
    const ParetoFront front =
        pareto_front(one_stage({point(5, 1, 0), point(7, 2, 0), point(9, 3, 0)}), up_to(10));
    EXPECT_FALSE(front.best_within(4).has_value());
    EXPECT_EQ(front.best_within(5), 0u);
    EXPECT_EQ(front.best_within(8), 1u);
    EXPECT_EQ(front.best_within(100), 2u);
}

TEST(ParetoFront, RefusesLimitsThatMakeNoSense) {
    const ChainProblem problem = one_stage({point(5, 7, 1)});
    EXPECT_THROW(pareto_front(problem, up_to(-1)), InputError);
    for (const double epsilon : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
        FrontLimits limits = up_to(10);
        limits.epsilon = epsilon;
        EXPECT_THROW(pareto_front(problem, limits), InputError);
    }
    FrontLimits limits = up_to(10);
    limits.caps.params = -1;
    EXPECT_THROW(pareto_front(problem, limits), InputError);
}

TEST(ParetoFront, GivesUpWithAReasonWhenMemoryRunsOut) {
    std::mt19937_64 random(7);
    FrontLimits limits = up_to(100);
    limits.max_bytes = 16;
    EXPECT_THROW(pareto_front(one_stage({point(5, 7, 1), point(6, 8, 1)}), limits), WorkError);
}

TEST(ChainProblem, RefusesTablesThatDoNotFit) {
    ChainProblem problem = one_stage({point(5, 7, 1)});
    EXPECT_NO_THROW(check(problem));
    ChainProblem wrong = problem;
    wrong.chains[0].stages[0].gain.clear();
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages.push_back(make_stage(2, 1, {1}));
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages[0].first[0][0].cost = -1;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages[0].first[0][0].cost = std::int64_t{1} << 53;
    EXPECT_THROW(check(wrong), InputError);
    EXPECT_THROW(check(ChainProblem{}), InputError);
}

}  // namespace
}  // namespace hacscale
