// A clock that is read between the layers of a pass: what it takes, and single passes seen through it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/backend/network_runner.hpp"

namespace hacscale {

// What reading a clock between layers takes, and taking it off.
//
// On a GPU an event between two layers takes time itself, and keeps the second from starting while the first
// drains. What a pass with events takes longer than a plain one (medians, of passes that alternate) is spread evenly
// over the layers: what each layer's event really costs cannot be told apart in such a pass. So the layers' times add
// up to the plain pass by construction, and their sum is no evidence that each is right.
struct ClockCost {
    double layer_us = 0.0;     // taken off each reading
    std::int64_t clamped = 0;  // readings of which less was taken off, since too little would have been left
    std::int64_t readings = 0;
};

// The least that is left of a reading. When it is used, the layers add up to more than the plain pass.
constexpr double least_share_of_reading = 0.1;

// `passes`: readings of passes with a clock, one entry a layer, which are corrected in place; `plain_us`: the plain
// passes between them. Neither is empty.
ClockCost take_off_clock(std::vector<std::vector<double>>& passes, const std::vector<double>& plain_us);

// When each layer of a network ran, pass by pass, for people who want to look at a run rather than at its
// statistics. The clock is the one that timings of layers use (NetworkRunner::run_timed); where reading it takes
// time, that is taken off, as known from plain passes between the traced ones.
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
