#include "scaling/planner/pareto_front.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.hpp"
#include "tests/scaling/random_chain.hpp"

namespace hacscale {
namespace {

using testing::brute_force_front;
using testing::evaluate;
using testing::FrontPoint;
using testing::random_limits;
using testing::random_problem;

std::vector<FrontPoint> points_of(const ParetoFront& front) {
    std::vector<FrontPoint> points;
    for (std::size_t i = 0; i < front.size(); ++i)
        points.push_back({front.costs[i], front.gains[i], front.params[i]});
    return points;
}

void expect_choices_are_real(const ChainProblem& problem, const ParetoFront& front) {
    const std::vector<FrontPoint> points = points_of(front);
    for (std::size_t i = 0; i < front.size(); ++i) {
        const auto value = evaluate(problem, front.choice(i));
        ASSERT_TRUE(value.has_value());
        EXPECT_EQ(*value, points[i]);
    }
}

ChainProblem one_stage(const std::vector<FrontPoint>& options) {
    ChainStage stage = make_stage(1, static_cast<int>(options.size()), 1);
    for (std::size_t i = 0; i < options.size(); ++i) {
        stage.entry_cost[i] = 0;
        stage.body_cost[i] = options[i].cost;
        stage.body_params[i] = options[i].params;
        stage.gain[i] = options[i].gain;
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
        ASSERT_EQ(points_of(front), brute_force_front(problem, limits)) << "seed " << seed;
        expect_choices_are_real(problem, front);
        points += front.size();
        capped += limits.max_params ? 1 : 0;
    }
    EXPECT_GT(points, 4000u);  // the problems are not trivial
    EXPECT_GT(capped, 300);
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
            if (limits.max_params) {
                EXPECT_LE(point.params, *limits.max_params);
            }
        }
    }
}

TEST(ParetoFront, TiesGoToFewerParams) {
    const ParetoFront front =
        pareto_front(one_stage({{5, 7, 30}, {5, 7, 20}, {5, 7, 40}, {6, 7, 1}}), up_to(10));
    EXPECT_EQ(points_of(front), (std::vector<FrontPoint>{{5, 7, 20}}));
    EXPECT_EQ(front.choice(0).widths, std::vector<int>{1});
}

TEST(ParetoFront, ACapOnParamsBringsBackWhatItHadHidden) {
    const ChainProblem problem = one_stage({{5, 7, 100}, {6, 6, 10}, {7, 5, 1}});
    FrontLimits limits = up_to(10);
    limits.max_params = 99;
    EXPECT_EQ(points_of(pareto_front(problem, limits)), (std::vector<FrontPoint>{{6, 6, 10}}));
    limits.max_params = 0;
    EXPECT_EQ(pareto_front(problem, limits).size(), 0u);
}

TEST(ParetoFront, NothingAffordableGivesAnEmptyFront) {
    const ParetoFront front = pareto_front(one_stage({{5, 7, 1}}), up_to(4));
    EXPECT_EQ(front.size(), 0u);
    EXPECT_FALSE(front.best_within(4).has_value());
}

TEST(ParetoFront, FindsTheBestWithinACost) {
    const ParetoFront front = pareto_front(one_stage({{5, 1, 0}, {7, 2, 0}, {9, 3, 0}}), up_to(10));
    EXPECT_FALSE(front.best_within(4).has_value());
    EXPECT_EQ(front.best_within(5), 0u);
    EXPECT_EQ(front.best_within(8), 1u);
    EXPECT_EQ(front.best_within(100), 2u);
}

TEST(ParetoFront, RefusesLimitsThatMakeNoSense) {
    const ChainProblem problem = one_stage({{5, 7, 1}});
    EXPECT_THROW(pareto_front(problem, up_to(-1)), InputError);
    for (const double epsilon : {-0.1, 1.0, std::numeric_limits<double>::quiet_NaN()}) {
        FrontLimits limits = up_to(10);
        limits.epsilon = epsilon;
        EXPECT_THROW(pareto_front(problem, limits), InputError);
    }
    FrontLimits limits = up_to(10);
    limits.max_params = -1;
    EXPECT_THROW(pareto_front(problem, limits), InputError);
}

TEST(ParetoFront, GivesUpWithAReasonWhenMemoryRunsOut) {
    std::mt19937_64 random(7);
    FrontLimits limits = up_to(100);
    limits.max_bytes = 16;
    EXPECT_THROW(pareto_front(one_stage({{5, 7, 1}, {6, 8, 1}}), limits), WorkError);
}

TEST(ChainProblem, RefusesTablesThatDoNotFit) {
    ChainProblem problem = one_stage({{5, 7, 1}});
    EXPECT_NO_THROW(check(problem));
    ChainProblem wrong = problem;
    wrong.chains[0].stages[0].gain.clear();
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages.push_back(make_stage(2, 1, 1));
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages[0].body_cost[0] = -1;
    EXPECT_THROW(check(wrong), InputError);
    wrong = problem;
    wrong.chains[0].stages[0].body_cost[0] = std::int64_t{1} << 53;
    EXPECT_THROW(check(wrong), InputError);
    EXPECT_THROW(check(ChainProblem{}), InputError);
}

}  // namespace
}  // namespace hacscale
