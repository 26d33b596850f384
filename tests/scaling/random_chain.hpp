// Random small chain problems for properties of the planner, and the brute force they are compared with.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "scaling/planner/pareto_front.hpp"

namespace hacscale::testing {

struct FrontPoint {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    ResourceUsage usage;
    bool operator==(const FrontPoint&) const = default;
};

std::vector<FrontPoint> points_of(const PlanFront& front);
// Those that no other one dominates, ascending; of points that are equal but for usage, one with the fewest params.
std::vector<FrontPoint> front_among(std::vector<FrontPoint> points);

// Sizes, spread of values (small spreads make ties), infeasible options and offsets all vary with the seed.
ChainProblem random_problem(std::mt19937_64& random);
// A limit and sometimes a cap that cut through the problem's choices.
FrontLimits random_limits(const ChainProblem& problem, std::mt19937_64& random);

// What one choice comes to; nothing when a part of it is infeasible.
std::optional<FrontPoint> evaluate(const ChainProblem& problem, const ChainChoice& choice);
// Of every choice within the limits.
std::vector<FrontPoint> all_points(const ChainProblem& problem, const FrontLimits& limits);
std::vector<FrontPoint> brute_force_front(const ChainProblem& problem, const FrontLimits& limits);
// Choices equal in cost, gain and params may differ in other needs, and any of them may stand for the others.
bool equal_but_for_ties(const std::vector<FrontPoint>& a, const std::vector<FrontPoint>& b);

}  // namespace hacscale::testing
