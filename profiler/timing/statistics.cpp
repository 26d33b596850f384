#include "profiler/timing/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hacscale {
namespace {

constexpr double normal_95 = 1.96;
// Below this many samples no pair of order statistics encloses the median with 95 %.
constexpr std::size_t min_for_interval = 6;

double sorted_median(const std::vector<double>& sorted) {
    const std::size_t n = sorted.size();
    return n % 2 == 1 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

}  // namespace

MedianEstimate median_estimate(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const auto n = static_cast<double>(samples.size());
    MedianEstimate estimate{sorted_median(samples), std::numeric_limits<double>::infinity(), samples.front()};
    if (samples.size() < min_for_interval) return estimate;
    const double reach = normal_95 * std::sqrt(n) / 2.0;
    const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(n / 2.0 - reach)));
    const auto high = static_cast<std::size_t>(std::min(n - 1.0, std::ceil(n / 2.0 + reach)));
    estimate.half_width = 0.5 * (samples[high] - samples[low]);
    return estimate;
}

double quantile(std::vector<double> samples, double q) {
    std::sort(samples.begin(), samples.end());
    const double position = q * static_cast<double>(samples.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, samples.size() - 1);
    const double share = position - static_cast<double>(below);
    return samples[below] + share * (samples[above] - samples[below]);
}

double change_over_time(const std::vector<double>& samples) {
    if (samples.size() < 2) return 1.0;
    const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
    return quantile({middle, samples.end()}, 0.5) / quantile({samples.begin(), middle}, 0.5);
}

double spread(const std::vector<double>& samples) {
    if (samples.empty()) return 1.0;
    return quantile(samples, 0.7) / quantile(samples, 0.1);
}

UpperPercentiles upper_percentiles(const std::vector<double>& samples) {
    UpperPercentiles found;
    found.samples = static_cast<std::int64_t>(samples.size());
    if (found.samples >= min_for_p95) found.p95 = quantile(samples, 0.95);
    if (found.samples >= min_for_p99) found.p99 = quantile(samples, 0.99);
    const std::string have = ", and " + std::to_string(found.samples) + " were timed";
    if (!found.p95) {
        found.reason = "p95 needs " + std::to_string(min_for_p95) + " passes and p99 " +
                       std::to_string(min_for_p99) + have;
    } else if (!found.p99) {
        found.reason = "p99 needs " + std::to_string(min_for_p99) + " passes" + have;
    }
    return found;
}

MeanEstimate mean_estimate(std::span<const double> values) {
    MeanEstimate estimate;
    if (values.empty()) return estimate;
    const auto n = static_cast<double>(values.size());
    for (const double value : values) estimate.mean += value / n;
    estimate.min = *std::min_element(values.begin(), values.end());
    double squares = 0.0;
    for (const double value : values) squares += (value - estimate.mean) * (value - estimate.mean);
    // One value alone says nothing of how far it is off.
    estimate.half_width = values.size() > 1 ? normal_95 * std::sqrt(squares / (n - 1.0) / n)
                                            : std::numeric_limits<double>::infinity();
    return estimate;
}

}  // namespace hacscale
