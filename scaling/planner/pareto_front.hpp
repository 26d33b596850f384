// The exact Pareto front of (cost, gain) of a chain problem, by dynamic programming along its stages and
// blocks.
//
// A point is on the front when no other choice has cost <= and gain >= with one of them strict; among choices
// equal in both, one with the fewest params represents them. With caps, only choices within them count.
//
// With epsilon > 0 the front is approximate with a guarantee: for every point (cost, gain) of the exact front
// there is a returned point with cost' <= (1 + epsilon) cost and gain' >= gain. Returned points are always
// real choices with their exact cost, gain and usage, and none dominates another. So that the guarantee
// holds up to the very end, the last points may cost up to (1 + epsilon) max_cost.
//
// How: grids over cost give, for each partial choice, the gain it needs to match something that can surely be
// reached (detail/bounds.hpp). Most partial choices fail that test, whole ranges of
// them at once (detail/completion.hpp), and the few that pass are compared exactly. Bounds take at most 2048
// simple operations for each pair of neighbouring widths and each of at most 16 options of a block, so time
// grows with the square of the number of widths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale {

struct FrontLimits {
    std::int64_t max_cost = 0;  // only choices that cost at most this are looked at
    Caps caps;
    double epsilon = 0.0;  // 0: exact; else within (0, 1)
    // Give up (WorkError) before labels take more memory than this.
    std::size_t max_bytes = std::size_t{1} << 30;
};

// The points of a front, whatever their choices are of. Ascending in cost and in gain.
struct PlanFront {
    std::vector<std::int64_t> costs;
    std::vector<std::int64_t> gains;
    std::vector<ResourceUsage> usage;

    std::size_t size() const { return costs.size(); }
    // The last point that costs at most `cost`; nothing when none does.
    std::optional<std::size_t> best_within(std::int64_t cost) const;
};

// The front of a chain problem.
struct ParetoFront : PlanFront {
    // [size x (1 + 2 stages + sum of option_slots)]: chain, then width, depth and options of each stage.
    std::vector<std::uint16_t> choices;
    std::vector<int> option_slots;  // of each stage; 0 where every block has one option
    FrontStatistics statistics;

    ChainChoice choice(std::size_t point) const;
};

// Throws InputError for limits that make no sense and as check() does; WorkError when max_bytes would be
// exceeded.
ParetoFront pareto_front(const ChainProblem& problem, const FrontLimits& limits);

// The least of a resource that the choices of a chain problem use, to say how far a cap is out of reach.
enum class Resource { params, macs, memory_bytes };

// Over all choices that cost at most `max_cost`; nothing when there is none. Exact.
std::optional<std::int64_t> min_usage(const ChainProblem& problem, std::int64_t max_cost, Resource need);

}  // namespace hacscale
