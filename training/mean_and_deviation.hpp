// What seeds, or batches, come to together.
#pragma once

#include <optional>
#include <vector>

namespace hacscale {

struct MeanAndDeviation {
    double mean = 0.0;
    // Of the sample (n - 1); nothing for fewer than two values.
    std::optional<double> deviation;
};

// The mean of no values is 0.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

}  // namespace hacscale
