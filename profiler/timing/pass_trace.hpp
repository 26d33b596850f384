// When each layer of a network ran, pass by pass, for people who want to look at a run rather than at its
// statistics. The clock is the one that timings of layers use (NetworkRunner::run_timed); where reading it takes
// time, that is taken off, as known from plain passes between the traced ones.
#pragma once

#include <functional>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "profiler/timing/clock_cost.hpp"

namespace hacscale {

struct TracedPass {
    double begin_us = 0.0;        // since the first pass began, by the host's clock
    std::vector<double> node_us;  // how long each node took, in running order
};

constexpr int untraced_passes = 10;  // before the first one: caches, clocks and the runner's own preparations

struct Trace {
    std::vector<TracedPass> passes;
    ClockCost clock;
};

// Weights and input are loaded. `keep_going` is asked before each pass; what was traced so far is returned
// when it says no.
Trace trace_passes(NetworkRunner& runner, std::size_t nodes, int passes,
                   const std::function<bool()>& keep_going);

}  // namespace hacscale
