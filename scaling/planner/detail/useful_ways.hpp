// The ways of a chain's blocks that can matter at all, in a form that is quick to go through: found once,
// read for every pair of neighbouring widths by the bounds and by the search.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale::planner {

struct UsefulWay {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    std::int64_t params = 0;
    std::uint16_t index = 0;  // among all ways of the block
};

// The ways of one block. No way costs less than the corner, gains more or has fewer params.
struct WayList {
    std::span<const UsefulWay> ways;
    const UsefulWay& corner;  // not looked at where there are no ways
};

class UsefulWays {
public:
    // Ways that cost more than `max_cost` are left out; so are, without caps, those that another way with no
    // more cost and no less gain makes needless. Lists ascend in cost.
    UsefulWays(const Chain& chain, std::int64_t max_cost, bool with_caps);

    // Lists as in ChainStage.
    WayList first(std::size_t stage, std::size_t list) const { return list_of(stages_[stage].first + list); }
    WayList further(std::size_t stage, std::size_t list) const {
        return list_of(stages_[stage].further + list);
    }
    std::size_t bytes() const {
        return (ways_.size() + corners_.size()) * sizeof(UsefulWay) + ends_.size() * sizeof(std::size_t);
    }

private:
    struct StageLists {
        std::size_t first = 0;
        std::size_t further = 0;
    };
    void add(const std::vector<BlockWay>& ways, std::int64_t max_cost, bool with_caps);
    WayList list_of(std::size_t list) const {
        return {{ways_.data() + ends_[list], ends_[list + 1] - ends_[list]}, corners_[list]};
    }

    std::vector<UsefulWay> ways_;
    std::vector<std::size_t> ends_{0};  // ends_[i + 1] is where list i ends
    std::vector<UsefulWay> corners_;    // by list
    std::vector<StageLists> stages_;
};

// Few ways in the place of many, for bounds on partial choices: these need not be exact, and take time in
// proportion to the number of ways.
class CoarseWays {
public:
    // Every way is matched by one with no more cost and params and no less gain; not all of them are real.
    static CoarseWays optimistic(std::span<const UsefulWay> ways);
    // Some of the ways themselves.
    static CoarseWays real(std::span<const UsefulWay> ways);

    const UsefulWay* begin() const { return ways_.data(); }
    const UsefulWay* end() const { return ways_.data() + count_; }

private:
    static constexpr std::size_t most_ways = 16;
    std::array<UsefulWay, most_ways> ways_;
    std::size_t count_ = 0;
};

}  // namespace hacscale::planner
