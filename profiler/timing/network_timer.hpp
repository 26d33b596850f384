// Times whole networks, and the layers inside them, in interleaved rounds.
//
// The `network` cache state is not imitated: each layer is timed where it runs, between the layer before,
// which has just produced its input, and with its weights last touched one pass ago. A round visits the
// networks in random order, so that drift of the machine does not land on one of them; each visit begins with
// passes that are thrown away, because the network visited before has the caches then, then has plain
// passes (the network's latency) and passes with a clock read a layer in turn.
//
// The machine's speed is read between visits. Only visits with the machine at its fastest count, as long as each network
// has enough: there are more of them while other guests slow it down. Else visits of one slower speed count, the same
// speed for all networks, because not all networks are slowed down alike. A visit has the slower speed of the two readings
// around it: the mean of the two would let passes count during which the machine became slower, and with one lucky
// reading even passes on a machine that is slow all the time.
//
// What the readings do not show, the passes that count may: a slow drift, or passes of two speeds that alternate too quickly.
// The interval of a median does not tell, as it takes passes to be independent of each other and of time. So earlier and later
// passes are compared, and fast and slow ones. A network whose passes do not agree is measured further, and not converged
// when its time is up.
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
#include <string>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "profiler/timing/machine_state.hpp"
#include "profiler/timing/pass_clock.hpp"
#include "profiler/timing/rounds.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale {

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
    bool converged = false;  // the interval is narrow, the machine was at its fastest, and the passes agree
    std::string unsteady;    // how passes do not agree, although the interval is narrow enough; else empty
};

// `networks` holds (runner, number of nodes), weights and input loaded. `keep_going` is asked between visits;
// when it says no, what was measured so far is returned, possibly with 0 samples. Without `machine_speed` all visits
// count. A network has rules.max_seconds in visits that count, and rules.patience times that in all; when
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
