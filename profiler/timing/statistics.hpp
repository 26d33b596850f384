// Medians with distribution-free intervals, means with intervals of the normal distribution.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hacscale {

struct MedianEstimate {
    double median = 0.0;
    double half_width = 0.0;  // of the 95 % confidence interval; infinite below six samples
    double min = 0.0;

    double relative_half_width() const { return median > 0.0 ? half_width / median : 0.0; }
};

// The interval is the distribution-free one between order statistics: ranks n/2 -+ 1.96 sqrt(n)/2
// (Hettmansperger and Sheather 1986). Its half-width here is half the distance between the two. At least one
// sample.
MedianEstimate median_estimate(std::vector<double> samples);

// Linear between order statistics; q in 0..1, at least one sample.
double quantile(std::vector<double> samples, double q);

// The median of the later half over that of the earlier half, of samples in the order in which they were taken. 1 below
// two samples.
double change_over_time(const std::vector<double>& samples);

// What three in ten samples exceed, over what the least tenth does not exceed. Of samples at two levels, it is the factor between
// the levels unless few are at one of them. 1 without samples.
double spread(const std::vector<double>& samples);

// What 95 and 99 % of the samples take at most, between order statistics as quantile() says.
struct UpperPercentiles {
    std::int64_t samples = 0;
    std::optional<double> p95;
    std::optional<double> p99;
    std::string reason;  // why one or both are not there; empty when both are
};

// A percentile is there from as many samples on as enclose it with 95 % between the least and the greatest
// (Wilks 1941): of fewer, the greatest is below it too often.
constexpr std::int64_t min_for_p95 = 59;
constexpr std::int64_t min_for_p99 = 299;
UpperPercentiles upper_percentiles(const std::vector<double>& samples);

// Mean and 95 % half-width (1.96 standard errors, in two passes) of the values.
struct MeanEstimate {
    double mean = 0.0;
    double half_width = 0.0;
    double min = 0.0;
};
MeanEstimate mean_estimate(std::span<const double> values);

}  // namespace hacscale
