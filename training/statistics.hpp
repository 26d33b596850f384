// What seeds, or batches, come to together, and how well one figure ranks what another measures.
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

// Spearman's rho: the correlation of the ranks, -1 to 1; equal values share the mean of their ranks. Nothing for fewer than
// three pairs, or when all values of one side are equal. InputError for lists of different lengths.
std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace hacscale
