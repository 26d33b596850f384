// The extremes that the rest of a chain can add to a partial choice.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/candidates.hpp"

namespace hacscale::planner {

constexpr std::int64_t unreachable = std::numeric_limits<std::int64_t>::max();

// Each resource's extreme on its own: no single completion has to reach all of them. The peak is the larger of
// the parts before and after, so its extremes are those of the rest alone.
struct UsageRange {
    bool reachable = false;
    ResourceUsage min;
    ResourceUsage max;
};

struct Completion {
    std::vector<std::vector<UsageRange>> after;        // leaving a stage [stage][width]
    std::vector<std::vector<ResourceUsage>> body_max;  // blocks after the first of a stage [stage][width]
    std::int64_t min_cost = unreachable;               // of whole choices, offsets included
    UsageRange total;                                  // of whole choices, offsets included
};

Completion complete(const Chain& chain);
// By candidates alone, and usage is left 0; going through all options takes time.
Completion complete(const Chain& chain, const Candidates& options);

}  // namespace hacscale::planner
