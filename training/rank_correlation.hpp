// How well one figure ranks what another measures: Spearman's rho.
#pragma once

#include <optional>
#include <vector>

namespace hacscale {

// The correlation of the ranks, -1 to 1; equal values share the mean of their ranks. Nothing for fewer than
// three pairs, or when all values of one side are equal. InputError for lists of different lengths.
std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace hacscale
