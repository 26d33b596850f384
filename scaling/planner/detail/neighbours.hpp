// In which order the widths next to a given one are looked at.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace hacscale::planner {

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
