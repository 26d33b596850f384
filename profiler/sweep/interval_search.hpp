// Which of some ascending candidates remain to be measured, when those between two measured ones are looked
// at only where they turn out to be predicted badly.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

namespace hacscale::detail {

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

}  // namespace hacscale::detail
