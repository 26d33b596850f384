// Interleaved rounds: participants take turns in random order, so that what changes meanwhile does not land on
// one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace hacscale {

// How the times of layers inside their network are taken, when a measurement is good enough, and when its time is up.

enum class RowMethod : std::uint8_t {
    // A clock read between every two layers (NetworkRunner::run_timed), and where reading it takes time, that is
    // taken off evenly (network_timer.hpp).
    stopwatch,
    // What the network takes up to a layer, minus what it takes up to the layer before
    // (NetworkRunner::time_prefixes). On GPUs only.
    prefix,
    // The runtime's own profiler (NetworkRunner::profile), where a device has one and nothing else can tell layers apart;
    // what the runtime takes between its operations is spread evenly over them (network_timer.hpp).
    profiler,
};

std::string_view name_of(RowMethod method);
// Of those that can be asked for, stopwatch and prefix. Throws InputError for every other name.
RowMethod row_method_from_name(std::string_view name);

struct TimingRules {
    double target_half_width = 0.01;  // of the median's interval, relative to the median
    double max_seconds = 2.0;         // for one network or layer; then it is done as it is, and noisy
    int min_samples = 60;             // before a network or layer may be done for its interval
    int min_samples_in_all = 20;      // where the time was up before: a narrow interval of these will do
    int min_sweeps = 20;              // over a network's prefixes, where layers are timed so
    int min_visits = 3;               // rounds, so that a short disturbance cannot be all there is
    double burst_us = 4000.0;         // how long one network or layer runs before the next one's turn
    double patience = 6.0;            // of max_seconds, in all, while the machine is slower than it can be
};

// These rules for `participants` networks or layers that are timed together in at most `seconds`, slow turns of the machine
// included: first there is less patience, then less time in turns that count.
TimingRules within(TimingRules rules, double seconds, std::size_t participants);

// The device was lost, and it is known during whose turn. Kernels end before a turn does, so an error of one
// cannot come up in the turn of another.
class DeviceLostInTurn : public DeviceLost {
public:
    DeviceLostInTurn(const std::string& message, std::size_t index) : DeviceLost(message), index_(index) {}
    std::size_t index() const { return index_; }  // its place in the list that was to be measured

private:
    std::size_t index_;
};

// `open`, asked before each round, gives the participants that have a turn in it. Ends when there are none, or
// `keep_going`, asked before each visit, says no. Throws DeviceLostInTurn when the device is lost in a visit.
template <typename Open, typename Visit>
void visit_in_rounds(const Open& open, const Visit& visit, std::uint64_t seed,
                     const std::function<bool()>& keep_going) {
    std::mt19937_64 generator(seed);
    for (std::vector<std::size_t> round = open(); !round.empty(); round = open()) {
        std::shuffle(round.begin(), round.end(), generator);
        for (const std::size_t index : round) {
            if (!keep_going()) return;
            try {
                visit(index);
            } catch (const DeviceLost& lost) {
                throw DeviceLostInTurn(lost.what(), index);
            }
        }
    }
}

// Every participant that is not done yet has a turn in each round. A participant has visit(rules), done(rules) and
// result(rules). Returns the results so far, in the participants' order. Ends and throws as above.
template <typename Participant>
auto time_in_rounds(std::vector<Participant>& participants, const TimingRules& rules, std::uint64_t seed,
                    const std::function<bool()>& keep_going) {
    std::vector<std::size_t> open(participants.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    bool first = true;
    const auto still_open = [&] {
        if (!first) std::erase_if(open, [&](std::size_t index) { return participants[index].done(rules); });
        first = false;
        return open;
    };
    visit_in_rounds(
        still_open, [&](std::size_t index) { participants[index].visit(rules); }, seed, keep_going);
    std::vector<decltype(participants.front().result(rules))> results;
    for (const Participant& participant : participants) results.push_back(participant.result(rules));
    return results;
}

}  // namespace hacscale
