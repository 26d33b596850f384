#include "profiler/timing/pass_clock.hpp"

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

Trace trace_passes(NetworkRunner& runner, std::size_t nodes, int passes,
                   const std::function<bool()>& keep_going) {
    std::vector<double> node_us(nodes);
    for (int i = 0; i < untraced_passes && keep_going(); ++i) runner.run_timed(node_us);
    std::vector<double> begins_us;
    std::vector<std::vector<double>> timed;
    std::vector<double> plain_us;
    const double begin = runner.clock_us();
    for (int i = 0; i < passes && keep_going(); ++i) {
        if (runner.clock_takes_time()) plain_us.push_back(runner.time_runs(1));
        begins_us.push_back(runner.clock_us() - begin);
        runner.run_timed(node_us);
        timed.push_back(node_us);
    }
    Trace trace;
    if (!plain_us.empty()) trace.clock = take_off_clock(timed, plain_us);
    for (std::size_t i = 0; i < timed.size(); ++i) trace.passes.push_back({begins_us[i], timed[i]});
    return trace;
}

}  // namespace hacscale
