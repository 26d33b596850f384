// The ways of a chain's blocks that can matter at all, in the order of their costs: found once, read for
// every pair of neighbouring widths by the bounds and by the search. There may be millions of ways, so that
// only their places are kept.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
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

// The useful ways of one block, ascending in cost.
class WayList {
public:
    // `optimistic` and `real`: see below.
    WayList(const std::vector<BlockWay>& all, std::span<const std::uint16_t> useful, const UsefulWay& corner,
            std::span<const UsefulWay> optimistic = {}, std::span<const UsefulWay> real = {})
        : all_(&all), useful_(useful), corner_(&corner), optimistic_(optimistic), real_(real) {}

    bool empty() const { return useful_.empty(); }
    std::size_t size() const { return useful_.size(); }
    UsefulWay operator[](std::size_t place) const {
        const std::uint16_t index = useful_[place];
        const BlockWay& way = (*all_)[index];
        return {way.cost, way.gain, way.needs.params, index};
    }
    // No way costs less than this, gains more or has fewer params. Not to be looked at where there are none.
    const UsefulWay& corner() const { return *corner_; }
    // With those that are not useful.
    const std::vector<BlockWay>& all() const { return *all_; }

    // Few ways in the place of many, for bounds on partial choices: these need not be exact, and take time in
    // proportion to the number of ways. Every way is matched by an optimistic one with no more cost and
    // params and no less gain; not all of these are real. The others are some of the ways themselves.
    std::span<const UsefulWay> optimistic() const { return optimistic_; }
    std::span<const UsefulWay> real() const { return real_; }

private:
    const std::vector<BlockWay>* all_;
    std::span<const std::uint16_t> useful_;
    const UsefulWay* corner_;
    std::span<const UsefulWay> optimistic_;
    std::span<const UsefulWay> real_;
};

class UsefulWays {
public:
    // Ways that cost more than `max_cost` are left out; so are, without caps, those that another way with no
    // more cost and no less gain makes needless. The chain must outlive this.
    UsefulWays(const Chain& chain, std::int64_t max_cost, bool with_caps);

    // Lists as in ChainStage.
    WayList first(std::size_t stage, std::size_t list) const {
        return list_of(stages_[stage].first + list, chain_.stages[stage].first[list]);
    }
    WayList further(std::size_t stage, std::size_t list) const {
        return list_of(stages_[stage].further + list, chain_.stages[stage].further[list]);
    }
    std::size_t bytes() const {
        return useful_.size() * sizeof(std::uint16_t) +
               (corners_.size() + optimistic_.size() + real_.size()) * sizeof(UsefulWay) +
               3 * ends_.size() * sizeof(std::size_t);
    }

private:
    struct StageLists {
        std::size_t first = 0;
        std::size_t further = 0;
    };
    void reserve();
    void add(const std::vector<UsefulWay>& ways);
    template <typename Value>
    static std::span<const Value> part(const std::vector<Value>& values, const std::vector<std::size_t>& ends,
                                       std::size_t list) {
        return {values.data() + ends[list], ends[list + 1] - ends[list]};
    }
    WayList list_of(std::size_t list, const std::vector<BlockWay>& all) const {
        return {all, part(useful_, ends_, list), corners_[list], part(optimistic_, optimistic_ends_, list),
                part(real_, real_ends_, list)};
    }

    const Chain& chain_;
    std::vector<std::uint16_t> useful_;  // of all lists, one after the other: places among the block's ways
    std::vector<std::size_t> ends_{0};   // ends_[i + 1] is where list i ends
    std::vector<UsefulWay> corners_;     // by list
    std::vector<UsefulWay> optimistic_;
    std::vector<std::size_t> optimistic_ends_{0};
    std::vector<UsefulWay> real_;
    std::vector<std::size_t> real_ends_{0};
    std::vector<StageLists> stages_;
};

// Of `others` widths in a neighbouring stage, those first that stand in their list where `width` stands in
// its `widths`: mostly the best come from these, and what is found early spares what comes late.
inline std::vector<int> by_closeness(int width, int widths, int others) {
    std::vector<int> order(static_cast<std::size_t>(others));
    std::iota(order.begin(), order.end(), 0);
    const auto center = static_cast<int>(static_cast<long long>(width) * others / widths);
    std::stable_sort(order.begin(), order.end(),
                     [center](int a, int b) { return std::abs(a - center) < std::abs(b - center); });
    return order;
}

}  // namespace hacscale::planner
