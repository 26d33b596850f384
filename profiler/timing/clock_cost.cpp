#include "profiler/timing/clock_cost.hpp"

#include <algorithm>
#include <numeric>

#include "profiler/timing/statistics.hpp"

namespace hacscale {

ClockCost take_off_clock(std::vector<std::vector<double>>& passes, const std::vector<double>& plain_us) {
    std::vector<double> with_clock;
    for (const std::vector<double>& pass : passes) {
        with_clock.push_back(std::accumulate(pass.begin(), pass.end(), 0.0));
    }
    const double longer_us = std::max(0.0, quantile(with_clock, 0.5) - quantile(plain_us, 0.5));
    ClockCost cost;
    cost.layer_us = longer_us / static_cast<double>(passes.front().size());
    for (std::vector<double>& pass : passes) {
        for (double& reading : pass) {
            const double least = least_share_of_reading * reading;
            ++cost.readings;
            if (reading - cost.layer_us < least) ++cost.clamped;
            reading = std::max(reading - cost.layer_us, least);
        }
    }
    return cost;
}

}  // namespace hacscale
