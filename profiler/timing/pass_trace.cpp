#include "profiler/timing/pass_trace.hpp"

namespace hacscale {

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
