// Times whole networks, and the layers inside them, in interleaved rounds.
//
// The `network` cache state is not imitated: each layer is timed where it runs, between the layer before,
// which has just produced its input, and with its weights last touched one pass ago. A round visits the
// networks in random order, so that drift of the machine does not land on one of them; each visit begins with
// passes that are thrown away, because the network visited before has the caches then, and goes on with plain
// passes (the network's latency) and passes with a clock read a layer in turn.
//
// The machine's pace is read between visits. Only rounds with the machine at its fastest count, as long as
// there are enough: there are more of them while other guests slow it down. Else rounds of one slower pace
// count, the same ones for all networks, because not all networks are slowed down alike.
//
// A layer's latency is its mean over the timed passes whose whole time lies between the quartiles. A sum of
// the layers' medians would be too small: interruptions are rare for one layer and frequent for a hundred, so
// the median pass has some in it and the median layer has none (measured: 0.1 to 4 % below the network,
// growing with its length). The mean over the middle passes is as robust, and adds up to the network by
// construction. Where reading the clock takes time, each visit's plain passes say how much (clock_cost.hpp).
//
// By prefixes (row_method.hpp), a visit has plain passes and then one sweep over all prefixes; a layer's latency is the
// difference of two medians over the sweeps.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "kernels/backend/network_runner.hpp"
#include "profiler/timing/machine_speed.hpp"
#include "profiler/timing/statistics.hpp"
#include "profiler/timing/timed_passes.hpp"
#include "profiler/timing/timing_rules.hpp"

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
    // The machine's pace in what counts: the median of the readings, microseconds, and against the fastest.
    std::optional<double> pace_us;  // none where it was not read
    double slowdown = 1.0;
    bool converged = false;  // the interval is narrow enough, and the machine was at its fastest
};

// `subjects` holds (runner, number of nodes), weights and input loaded. `keep_going` is asked between visits;
// when it says no, what was measured so far is returned, possibly with 0 samples. Without `pace` all visits
// count. A network has rules.most_seconds in rounds that count, and rules.patience times that in all; when
// the last measurement waited in vain, there is no more time than without other guests. Throws SubjectLost.
struct TimedSubject {
    NetworkRunner* runner = nullptr;
    std::size_t nodes = 0;
    RowMethod rows = RowMethod::stopwatch;
};
std::vector<NetworkTiming> time_networks(const std::vector<TimedSubject>& subjects, const TimingRules& rules,
                                         std::uint64_t seed, const std::function<bool()>& keep_going,
                                         Pace* pace = nullptr);

}  // namespace hacscale
