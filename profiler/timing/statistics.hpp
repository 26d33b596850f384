// Medians with distribution-free intervals, means with intervals of the normal distribution.
#pragma once

#include <span>
#include <vector>

namespace hacscale {

struct MedianEstimate {
    double median = 0.0;
    double half_width = 0.0;  // of the 95 % confidence interval; infinite below six samples

    double relative_half_width() const { return median > 0.0 ? half_width / median : 0.0; }
};

// The interval is the distribution-free one between order statistics: ranks n/2 -+ 1.96 sqrt(n)/2
// (Hettmansperger and Sheather 1986). Its half-width here is half the distance between the two. At least one
// sample.
MedianEstimate median_estimate(std::vector<double> samples);

// Linear between order statistics; q in 0..1, at least one sample.
double quantile(std::vector<double> samples, double q);

// Mean and 95 % half-width (1.96 standard errors, in two passes) of the values.
struct MeanEstimate {
    double mean = 0.0;
    double half_width = 0.0;
};
MeanEstimate mean_estimate(std::span<const double> values);

}  // namespace hacscale
