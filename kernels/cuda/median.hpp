// The median of a few timings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hacscale::cuda {

// Of at least one; the upper of the middle two where their number is even.
inline double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace hacscale::cuda
