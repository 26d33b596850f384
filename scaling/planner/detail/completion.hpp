// The extremes that the rest of a chain can add to a partial choice.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/useful_ways.hpp"

namespace hacscale::planner {

constexpr std::int64_t unreachable = std::numeric_limits<std::int64_t>::max();

// Each need's extreme on its own: no single completion has to reach all of them. The peak is the larger of
// what is before and after, so its extremes are those of the rest alone.
struct NeedsRange {
    bool reachable = false;
    Needs least;
    Needs most;
};

struct Completion {
    std::vector<std::vector<NeedsRange>> after;  // leaving a stage [stage][width]
    std::vector<std::vector<Needs>> body_most;   // blocks after the first of a stage [stage][width]
    std::int64_t least_cost = unreachable;       // of whole choices, offsets included
    NeedsRange total;                            // of whole choices, offsets included
};

Completion complete(const Chain& chain);
// By useful ways alone, and needs are left 0; going through them takes time.
Completion complete(const Chain& chain, const UsefulWays& ways);

}  // namespace hacscale::planner
