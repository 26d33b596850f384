// The exact Pareto front of (cost, gain) of a chain problem, by dynamic programming along its stages.
//
// A point is on the front when no other choice has cost <= and gain >= with one of them strict; among choices
// equal in both, one with the fewest params stands for them. With a cap on params, only choices within it
// count.
//
// With epsilon > 0 the front is approximate with a guarantee: for every point (cost, gain) of the exact front
// there is a returned point with cost' <= (1 + epsilon) cost and gain' >= gain. Returned points are always
// real choices with their exact cost, gain and params, and none dominates another. So that the guarantee
// holds up to the very end, the last points may cost up to (1 + epsilon) max_cost.
//
// How: grids over cost give, for each partial choice, the gain it needs to match something that can surely be
// reached (detail/incumbent.hpp, detail/thresholds.hpp). Most partial choices fail that test, and the few
// that pass are compared exactly. The cost is about sum over stages of widths before x widths x 2048 simple
// operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale {

struct FrontLimits {
    std::int64_t max_cost = 0;               // only choices that cost at most this are looked at
    std::optional<std::int64_t> max_params;  // only choices with at most this many
    double epsilon = 0.0;                    // 0: exact; else within (0, 1)
    std::size_t max_bytes = std::size_t{1}
                            << 30;  // give up (WorkError) before labels take more memory than this
};

struct FrontStatistics {
    std::int64_t candidates = 0;  // partial choices looked at
    std::int64_t labels = 0;      // partial choices kept
    std::size_t peak_bytes = 0;   // of the planner's own tables
};

// Ascending in cost and in gain.
struct ParetoFront {
    std::vector<std::int64_t> costs;
    std::vector<std::int64_t> gains;
    std::vector<std::int64_t> params;
    std::vector<std::uint16_t> choices;  // [size x (1 + 2 stages)]: chain, widths, depths
    int stages = 0;
    FrontStatistics statistics;

    std::size_t size() const { return costs.size(); }
    ChainChoice choice(std::size_t point) const;
    // The last point that costs at most `cost`; nothing when none does.
    std::optional<std::size_t> best_within(std::int64_t cost) const;
};

// Throws InputError for limits that make no sense and as check() does; WorkError when max_bytes would be
// exceeded.
ParetoFront pareto_front(const ChainProblem& problem, const FrontLimits& limits);

}  // namespace hacscale
