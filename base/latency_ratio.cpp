#include "base/latency_ratio.hpp"

#include <cmath>

namespace hacscale {

LatencyRatio latency_ratio(double a_us, double ci95_a_us, double b_us, double ci95_b_us) {
    LatencyRatio result{.a_us = a_us, .b_us = b_us, .ratio = b_us / a_us};
    const double logarithm = std::log(result.ratio);
    const double half_width = std::hypot(ci95_a_us / a_us, ci95_b_us / b_us);
    result.ratio_low = std::exp(logarithm - half_width);
    result.ratio_high = std::exp(logarithm + half_width);
    result.significant = std::abs(logarithm) > half_width;
    return result;
}

}  // namespace hacscale
