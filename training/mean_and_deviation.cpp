#include "training/mean_and_deviation.hpp"

#include <cmath>
#include <numeric>

namespace hacscale {

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
    MeanAndDeviation result;
    if (values.empty()) return result;
    const auto count = static_cast<double>(values.size());
    result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    if (values.size() < 2) return result;
    double squares = 0.0;
    for (const double value : values) squares += (value - result.mean) * (value - result.mean);
    result.deviation = std::sqrt(squares / (count - 1.0));
    return result;
}

}  // namespace hacscale
