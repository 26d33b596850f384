// Partial choices ("labels") and the rule by which one makes another needless.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale::planner {

constexpr std::int64_t no_cap = std::numeric_limits<std::int64_t>::max();

// Where a label came from, in 8 bytes: the label before it, and what was chosen since.
struct Origin {
    std::uint32_t label = 0;
    std::uint16_t width_or_depth = 0;  // width of the stage before, or depth of this one
    std::uint16_t option = 0;
    std::uint64_t packed() const {
        return (static_cast<std::uint64_t>(label) << 32) |
               (static_cast<std::uint64_t>(width_or_depth) << 16) | option;
    }
};
static_assert(sizeof(Origin) == 8);

struct Label {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    ResourceUsage usage;
    Origin origin;
};
using Labels = std::vector<Label>;

// Usage up to here counts as equal, since no completion can take them over a cap. Where all are no_cap, only
// cost and gain are compared.
constexpr ResourceUsage no_floor{no_cap, no_cap, no_cap, no_cap};

// Keeps the labels that no other one makes needless: one with no more cost, no less gain, and no more of any
// resource that matters; among equals, the one with fewer params. The result is ascending in cost.
//   trim: costs within one interval of this length count as equal (1: exact).
void keep_best(Labels& labels, std::int64_t trim, const ResourceUsage& floor);

// Costs up to a maximum, divided into equal buckets of a power of two, and what is kept for each bucket. Bounds on
// partial choices are kept per bucket: rounding costs up gives what can surely be reached, rounding them down gives
// what could at best be reached.

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
inline CostGrid make_grid(std::int64_t max_cost, std::int64_t max_buckets = 2048) {
    CostGrid grid;
    while ((max_cost >> grid.shift) >= max_buckets) ++grid.shift;
    grid.buckets = static_cast<std::size_t>(max_cost >> grid.shift) + 1;
    return grid;
}

// ---- Bounds, one value a bucket ----
//
// These loops are compiled for the widest vectors that the machine has, since most of a plan's time is spent here.
// All rows ascend.

// to[b] = max(to[b], from[b] + value); where that is more, to_cost[b] = from_cost[b] + cost
void raise(double* to, double* to_cost, const double* from, const double* from_cost, std::size_t count,
           double value, double cost);
// to[b] = min(to[b], from[b] - value)
void lower(double* to, const double* from, std::size_t count, double value);

// Whether that could change anything; cheaper, and never wrongly false.
bool could_raise(const double* to, const double* from, std::size_t count, double value);
bool could_lower(const double* to, const double* from, std::size_t count, double value);

// The most gain that is had so far for less than a given cost, by cost bucket. In two levels, so that taking
// a gain in touches few entries.
class ReachedGains {
public:
    void clear(std::size_t buckets) {
        within_.assign(buckets, nothing);
        before_.assign(buckets / block + 1, nothing);
    }
    // In buckets lower than this one.
    std::int64_t below(std::size_t bucket) const {
        return std::max(within_[bucket], before_[bucket / block]);
    }
    void take(std::size_t bucket, std::int64_t gain) {
        const std::size_t next_block = bucket / block + 1;
        const std::size_t end = std::min(within_.size(), next_block * block);
        for (std::size_t b = bucket + 1; b < end && within_[b] < gain; ++b) within_[b] = gain;
        for (std::size_t k = next_block; k < before_.size() && before_[k] < gain; ++k) before_[k] = gain;
    }

private:
    static constexpr std::size_t block = 32;
    static constexpr std::int64_t nothing = std::numeric_limits<std::int64_t>::min();
    std::vector<std::int64_t> within_;  // by bucket: in lower buckets of its block
    std::vector<std::int64_t> before_;  // by block: in lower blocks
};

}  // namespace hacscale::planner
