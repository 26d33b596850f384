// The extremes that the rest of a chain can add to a partial choice.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale::planner {

constexpr std::int64_t unreachable = std::numeric_limits<std::int64_t>::max();

struct Completion {
    // After stage and width; least_params is `unreachable` when nothing can follow.
    std::vector<std::vector<std::int64_t>> least_params;
    std::vector<std::vector<std::int64_t>> most_params;
    // Of whole choices, offsets included; least_cost is `unreachable` when there are none.
    std::int64_t least_cost = unreachable;
    std::int64_t most_total_params = 0;
};

Completion complete(const Chain& chain);

}  // namespace hacscale::planner
