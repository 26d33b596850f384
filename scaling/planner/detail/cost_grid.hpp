// Costs up to a maximum, divided into equal buckets of a power of two. Bounds on partial choices are kept per
// bucket: rounding costs up gives what can surely be reached, rounding them down gives what could at best be
// reached.
#pragma once

#include <cstddef>
#include <cstdint>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale::planner {

struct CostGrid {
    int shift = 0;
    std::size_t buckets = 1;

    std::size_t below(std::int64_t cost) const { return static_cast<std::size_t>(cost >> shift); }
    // At least the cost, in buckets; infeasible costs are beyond the grid, without overflow.
    std::size_t above(std::int64_t cost) const {
        return cost == infeasible_cost ? buckets : static_cast<std::size_t>(((cost - 1) >> shift) + 1);
    }
};

// 2048 buckets are the best trade measured on MobileNetV2's space: fewer prune less, more take longer to
// fill.
inline CostGrid make_grid(std::int64_t max_cost, std::int64_t most_buckets = 2048) {
    CostGrid grid;
    while ((max_cost >> grid.shift) >= most_buckets) ++grid.shift;
    grid.buckets = static_cast<std::size_t>(max_cost >> grid.shift) + 1;
    return grid;
}

}  // namespace hacscale::planner
