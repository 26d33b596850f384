// The options of a chain's blocks that can matter at all, in the order of their costs: found once, read for
// every pair of neighbouring widths by the bounds and by the search. There may be millions of options, so that
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

struct Candidate {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    std::int64_t params = 0;
    std::uint16_t index = 0;  // among all options of the block
};

// The candidates of one block, ascending in cost.
class OptionList {
public:
    // `optimistic` and `real`: see below.
    OptionList(const std::vector<BlockOption>& all, std::span<const std::uint16_t> useful,
               const Candidate& corner, std::span<const Candidate> optimistic = {},
               std::span<const Candidate> real = {})
        : all_(&all), useful_(useful), corner_(&corner), optimistic_(optimistic), real_(real) {}

    bool empty() const { return useful_.empty(); }
    std::size_t size() const { return useful_.size(); }
    Candidate operator[](std::size_t place) const {
        const std::uint16_t index = useful_[place];
        const BlockOption& option = (*all_)[index];
        return {option.cost, option.gain, option.usage.params, index};
    }
    // No option costs less than this, gains more or has fewer params. Not to be looked at where there are none.
    const Candidate& corner() const { return *corner_; }
    // With those that are no candidates.
    const std::vector<BlockOption>& all() const { return *all_; }

    // Few options in the place of many, for bounds on partial choices: these need not be exact, and take time in
    // proportion to the number of options. Every option is matched by an optimistic one with no more cost and
    // params and no less gain; not all of these are real. The others are some of the options themselves.
    std::span<const Candidate> optimistic() const { return optimistic_; }
    std::span<const Candidate> real() const { return real_; }

private:
    const std::vector<BlockOption>* all_;
    std::span<const std::uint16_t> useful_;
    const Candidate* corner_;
    std::span<const Candidate> optimistic_;
    std::span<const Candidate> real_;
};

class Candidates {
public:
    // Options that cost more than `max_cost` are left out; so are, without caps, those that another option with no
    // more cost and no less gain makes needless. The chain must outlive this.
    Candidates(const Chain& chain, std::int64_t max_cost, bool with_caps);

    // Lists as in ChainStage.
    OptionList first(std::size_t stage, std::size_t list) const {
        return list_of(stages_[stage].first + list, chain_.stages[stage].first[list]);
    }
    OptionList further(std::size_t stage, std::size_t list) const {
        return list_of(stages_[stage].further + list, chain_.stages[stage].further[list]);
    }
    std::size_t bytes() const {
        return useful_.size() * sizeof(std::uint16_t) +
               (corners_.size() + optimistic_.size() + real_.size()) * sizeof(Candidate) +
               3 * ends_.size() * sizeof(std::size_t);
    }

private:
    struct StageLists {
        std::size_t first = 0;
        std::size_t further = 0;
    };
    void reserve();
    void add(const std::vector<Candidate>& options);
    template <typename Value>
    static std::span<const Value> part(const std::vector<Value>& values, const std::vector<std::size_t>& ends,
                                       std::size_t list) {
        return {values.data() + ends[list], ends[list + 1] - ends[list]};
    }
    OptionList list_of(std::size_t list, const std::vector<BlockOption>& all) const {
        return {all, part(useful_, ends_, list), corners_[list], part(optimistic_, optimistic_ends_, list),
                part(real_, real_ends_, list)};
    }

    const Chain& chain_;
    std::vector<std::uint16_t>
        useful_;                        // of all lists, one after the other: places among the block's options
    std::vector<std::size_t> ends_{0};  // ends_[i + 1] is where list i ends
    std::vector<Candidate> corners_;    // by list
    std::vector<Candidate> optimistic_;
    std::vector<std::size_t> optimistic_ends_{0};
    std::vector<Candidate> real_;
    std::vector<std::size_t> real_ends_{0};
    std::vector<StageLists> stages_;
};

// The `others` widths of a neighbouring stage, in the order of their distance from the place in their list that `width` has
// among its `widths`: mostly the best come from near ones, and what is found early spares what comes late.
inline std::vector<int> by_closeness(int width, int widths, int others) {
    std::vector<int> order(static_cast<std::size_t>(others));
    std::iota(order.begin(), order.end(), 0);
    const auto center = static_cast<int>(static_cast<long long>(width) * others / widths);
    std::stable_sort(order.begin(), order.end(),
                     [center](int a, int b) { return std::abs(a - center) < std::abs(b - center); });
    return order;
}

}  // namespace hacscale::planner
