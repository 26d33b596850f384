// Partial choices ("labels") and the rule by which one makes another needless.
#pragma once

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

}  // namespace hacscale::planner
