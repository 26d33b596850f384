#include "profiler/sweep/interval_search.hpp"

#include <algorithm>
#include <cmath>

namespace hacscale::detail {

std::vector<std::size_t> spread(std::size_t size, int count, std::size_t always) {
    if (size == 0) return {};
    std::vector<std::size_t> indices{always};
    const auto last = static_cast<double>(size - 1);
    for (int k = 0; k < count; ++k) {
        indices.push_back(static_cast<std::size_t>(std::lround(k * last / (count - 1))));
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    return indices;
}

IntervalSearch::IntervalSearch(const std::vector<std::size_t>& measured) {
    for (std::size_t i = 1; i < measured.size(); ++i) add({measured[i - 1], measured[i]});
}

Interval IntervalSearch::take() {
    const Interval next = open_.front();
    open_.pop_front();
    return next;
}

void IntervalSearch::split(const Interval& interval) {
    add({interval.low, interval.middle()});
    add({interval.middle(), interval.high});
}

void IntervalSearch::add(const Interval& interval) {
    if (interval.high - interval.low >= 2) open_.push_back(interval);
}

}  // namespace hacscale::detail
