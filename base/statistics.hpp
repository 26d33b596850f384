// Statistics of a few timings that several folders share; those of a whole measurement are in profiler/timing.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace hacscale {

// The median of at least one value; the upper of the middle two where their number is even.
inline double upper_median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Two latencies of one thing: two tables compared row by row, two devices side by side. The ratio b/a has a 95 %
// interval, by propagation of both intervals on its logarithm: half-width of ln(b/a) =
// sqrt((ci95_a/a)^2 + (ci95_b/b)^2). So the interval of a/b is the reciprocal one.
struct LatencyRatio {
    double a_us = 0.0;
    double b_us = 0.0;
    double ratio = 1.0;  // b/a: above 1 where b is slower
    double ratio_low = 1.0;
    double ratio_high = 1.0;
    bool significant = false;  // 1 is outside the interval
};

// Latencies above 0 with the half-widths of their intervals.
inline LatencyRatio latency_ratio(double a_us, double ci95_a_us, double b_us, double ci95_b_us) {
    LatencyRatio result{.a_us = a_us, .b_us = b_us, .ratio = b_us / a_us};
    const double logarithm = std::log(result.ratio);
    const double half_width = std::hypot(ci95_a_us / a_us, ci95_b_us / b_us);
    result.ratio_low = std::exp(logarithm - half_width);
    result.ratio_high = std::exp(logarithm + half_width);
    result.significant = std::abs(logarithm) > half_width;
    return result;
}

}  // namespace hacscale
