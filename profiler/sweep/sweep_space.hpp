// The space that a sweep covers, and what it examines of one dimension of it: the order in which candidates between measured
// ones are looked at, and the inner widths that are candidates.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "models/stages/scaled_model.hpp"

namespace hacscale {

struct SweepSpace {
    std::vector<std::vector<int>> widths;  // of each stage, ascending, the base's width among them
    std::vector<int> max_depths;           // of each stage: deeper networks reach further through the caches
    std::vector<int> resolutions;          // pixels, the base's among them
    // Which inner widths a block may have, in a stage of this width after one of the width before (0, and not
    // looked at, in the first stage): first the one that follows, then the others, ascending; one value, 0,
    // where the block has none to choose. Empty: all inner widths follow.
    std::function<std::vector<int>(std::size_t stage, int block, int width_before, int width)>
        inner_options{};
};

}  // namespace hacscale

namespace hacscale::detail {

// Which of some ascending candidates remain to be measured, when those between two measured ones are looked
// at only where they turn out to be predicted badly.

// `count` indices (2 or more) spread over 0..size-1, both ends among them, and `always`; ascending, each
// once. None where size is 0.
std::vector<std::size_t> spread(std::size_t size, int count, std::size_t always);

// Indices of measured candidates with unmeasured ones between them.
struct Interval {
    std::size_t low, high;
    std::size_t middle() const { return (low + high) / 2; }
};

class IntervalSearch {
public:
    // `measured`: ascending indices.
    explicit IntervalSearch(const std::vector<std::size_t>& measured);

    bool empty() const { return open_.empty(); }
    Interval take();
    // The middle of the interval was measured and predicted badly: both halves are to be looked at.
    void split(const Interval& interval);

private:
    void add(const Interval& interval);
    std::deque<Interval> open_;  // breadth first
};

// The inner widths that a sweep looks at: for each stage, all that some block of it may have at some width.
//
// A host network gives all blocks of a stage the same inner width, and any stage width together with any inner
// width, whether or not the two may be chosen together: so the measured pairs form a full rectangle, and
// every pair that may be chosen is inside it.
class InnerCandidates {
public:
    InnerCandidates() = default;
    // The space fits the base. With no inner_options there are no candidates.
    InnerCandidates(const ModelSpec& base, const SweepSpace& space);

    bool empty() const;
    // Ascending; empty where a stage has nothing to choose.
    const std::vector<int>& values(std::size_t stage) const { return stages_[stage].values; }
    // The place among them of the inner width of the base's last block that may choose.
    std::size_t base_index(std::size_t stage) const { return stages_[stage].base_index; }
    // The width of the stage at which this value may be chosen, nearest to the base's.
    int home(std::size_t stage, std::size_t index) const { return stages_[stage].homes[index]; }

    // Inner widths for `choice`, whose own are not looked at: `wanted` has one value a stage, 0 where the
    // stage's follow. A block that has none to choose keeps what follows. An inverted residual has the next
    // multiple where the wanted one equals its input, since that would say that there is no expansion conv.
    std::vector<std::vector<int>> lists(const ScalingChoice& choice, const std::vector<int>& wanted) const;

private:
    struct Stage {
        std::vector<int> values;
        std::vector<int> homes;  // of each value
        std::size_t base_index = 0;
    };
    Stage stage_of(const SweepSpace& space, std::size_t stage) const;
    int apart_from_input(std::size_t stage, int value, int input) const;

    ModelSpec base_;
    std::vector<InnerRule> rules_;
    std::vector<Stage> stages_;
};

}  // namespace hacscale::detail
