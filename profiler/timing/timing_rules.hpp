// How the times of layers inside their network are taken, when a measurement is good enough, and when its time is up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hacscale {

enum class RowMethod : std::uint8_t {
    // A clock read between every two layers (NetworkRunner::run_timed), and where reading it takes time, that is
    // taken off evenly (clock_cost.hpp).
    stopwatch,
    // What the network takes up to a layer, minus what it takes up to the layer before
    // (NetworkRunner::time_prefixes). On GPUs only.
    prefix,
};

std::string_view name_of(RowMethod method);
RowMethod row_method_from_name(std::string_view name);  // throws InputError

struct TimingRules {
    double target_half_width = 0.01;  // of the median's interval, relative to the median
    double most_seconds = 2.0;        // for one subject; then it is done as it is, and noisy
    int fewest_samples = 60;          // before a subject may be done for its interval
    int fewest_samples_in_all = 20;   // where the time was up before: a narrow interval of these will do
    int fewest_sweeps = 20;           // over a network's prefixes, where layers are timed so
    int fewest_visits = 3;            // rounds, so that a short disturbance cannot be all there is
    double burst_us = 4000.0;         // how long one subject runs before the next one's turn
    double patience = 6.0;            // of most_seconds, in all, while the machine is slower than it can be
};

// These rules for `subjects` that are timed together in at most `seconds`, slow turns of the machine
// included: first there is less patience, then less time in turns that count.
TimingRules within(TimingRules rules, double seconds, std::size_t subjects);

}  // namespace hacscale
