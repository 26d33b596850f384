#include "profiler/timing/pass_trace.hpp"

namespace hacscale {

std::vector<TracedPass> trace_passes(NetworkRunner& runner, std::size_t nodes, int passes,
                                     const std::function<bool()>& keep_going) {
    std::vector<double> node_us(nodes);
    for (int i = 0; i < untraced_passes && keep_going(); ++i) runner.run_timed(node_us);
    std::vector<TracedPass> traced;
    const double begin = runner.clock_us();
    for (int i = 0; i < passes && keep_going(); ++i) {
        const double pass_begin = runner.clock_us();
        runner.run_timed(node_us);
        traced.push_back({pass_begin - begin, node_us});
    }
    return traced;
}

}  // namespace hacscale
