// Times whole networks, and the layers inside them, in interleaved rounds.
//
// The `network` cache state is not imitated: each layer is timed where it runs, between the layer before,
// which has just produced its input, and with its weights last touched one pass ago. A round visits the
// networks in random order, so that drift of the machine does not land on one of them; each visit begins with
// passes that are thrown away, because the network visited before has the caches then, then has plain
// passes (the network's latency) and passes with a clock read a layer in turn.
//
// The machine's speed is read between visits. Only rounds with the machine at its fastest count, as long as
// there are enough: there are more of them while other guests slow it down. Else rounds of one slower speed
// count, the same ones for all networks, because not all networks are slowed down alike.
//
// A layer's latency is its mean over the timed passes whose whole time is between the quartiles. A sum of
// the layers' medians would be too small: interruptions are rare for one layer and frequent for a hundred, so
// the median pass has some in it and the median layer has none (measured: 0.1 to 4 % below the network,
// growing with its length). The mean over the middle passes is as robust, and adds up to the network by
// construction. Where reading the clock takes time, each visit's plain passes say how much (ClockCost).
//
// By a runtime's own profiler, a visit has plain passes and then passes under the profiler; a layer's latency is its mean over those
// between the quartiles. What the plain passes take longer than these means together is spread evenly over the runtime's operations;
// where they take less, all means are scaled down to them.
//
// By prefixes (RowMethod, rounds.hpp), a visit has plain passes and then one sweep over all prefixes; a layer's latency is the
// difference of two medians over the sweeps.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "profiler/timing/machine_state.hpp"
#include "profiler/timing/rounds.hpp"
#include "profiler/timing/statistics.hpp"

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

struct NetworkTiming {
    MedianEstimate total;             // of plain passes, microseconds
    UpperPercentiles upper;           // of the same passes
    std::vector<MeanEstimate> nodes;  // in running order, microseconds
    std::int64_t samples = 0;         // plain passes
    std::int64_t layer_samples = 0;   // timed passes between the quartiles, or sweeps
    // By the stopwatch, where it takes time: what was taken off. By prefixes: how many layers were told to take the
    // least, as no two medians could tell.
    ClockCost clock;
    // By the runtime's own profiler: what its times of all operations add up to, microseconds, beside `total`.
    std::optional<double> profiled_us;
    // The machine's speed in what counts: the median of the readings, microseconds, and against the fastest.
    std::optional<double> reference_us;  // none where it was not read
    double slowdown = 1.0;
    bool converged = false;  // the interval is narrow enough, and the machine was at its fastest
};

// `networks` holds (runner, number of nodes), weights and input loaded. `keep_going` is asked between visits;
// when it says no, what was measured so far is returned, possibly with 0 samples. Without `machine_speed` all visits
// count. A network has rules.max_seconds in rounds that count, and rules.patience times that in all; when
// the last measurement waited in vain, there is no more time than without other guests. Throws DeviceLostInTurn.
struct TimedNetwork {
    NetworkRunner* runner = nullptr;
    std::size_t nodes = 0;
    RowMethod rows = RowMethod::stopwatch;
    bool layers = true;  // their times are wanted; without, a runtime's profiler is not asked
};
std::vector<NetworkTiming> time_networks(const std::vector<TimedNetwork>& networks, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going,
                                         MachineSpeed* machine_speed = nullptr);

}  // namespace hacscale
