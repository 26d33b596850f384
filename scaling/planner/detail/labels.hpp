// Partial choices ("labels") and the rule by which one makes another needless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hacscale::planner {

// Where a label came from, in 8 bytes: the label of the stage before, its width, and the depth chosen in this
// stage.
struct Origin {
    std::uint32_t label = 0;
    std::uint16_t width = 0;
    std::uint16_t depth = 0;
    std::uint64_t packed() const {
        return (static_cast<std::uint64_t>(label) << 32) | (static_cast<std::uint64_t>(width) << 16) | depth;
    }
};
static_assert(sizeof(Origin) == 8);

// The labels of one stage and width, ascending in cost.
struct Labels {
    std::vector<std::int64_t> costs;
    std::vector<std::int64_t> gains;
    std::vector<std::int64_t> params;
    std::vector<Origin> origins;

    std::size_t size() const { return costs.size(); }
};

struct Candidate {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    std::int64_t params = 0;
    Origin origin;
};

// Keeps the candidates that no other one makes needless: one with no more cost, no less gain, and, where
// params matter, no more params; among equals, the one with fewer params.
//   trim: costs within one interval of this length count as equal (1: exact).
//   params_floor: params up to here count as equal, since no completion can take them over the cap.
// The result is ascending in cost. `candidates` is used as working space and left empty.
Labels keep_best(std::vector<Candidate>& candidates, std::int64_t trim, std::int64_t params_floor);

}  // namespace hacscale::planner
