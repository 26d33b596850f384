// How fast the machine is now, against the fastest it has been: a small reference network, timed again and
// again.
//
// Other guests of a shared machine slow it down for seconds at a time, and not all layers alike: what stays
// in a core's own caches hardly notices what doubles the time of larger tensors. So the reference has layers
// of both kinds, and times taken while it is slow are left out instead of being corrected.
#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend/backend_registry.hpp"

namespace hacscale {

// What is known of a device's pace in one data type.
struct PaceHistory {
    // The reference's short time: not its shortest, since one lucky reading of thousands would raise the bar for all
    // that come, but what one in twenty of its readings does not exceed; infinite before the first.
    double fastest_us() const;
    void add_reading(double us);
    // Of an earlier process, from its measurements.
    void expect(double us) { expected_us_ = std::min(us, expected_us_); }

    // The fastest that a measurement was made at: the median of its readings.
    std::optional<double> fastest_measured_us;
    // The machine was slower all the time that the last measurement waited for its fastest pace.
    bool waited_in_vain = false;

    // Adds a measurement that was made at this pace.
    void add_measured(double pace_us) {
        fastest_measured_us = std::min(pace_us, fastest_measured_us.value_or(pace_us));
    }

private:
    std::vector<double> readings_us_;  // in ascending order
    double expected_us_ = std::numeric_limits<double>::infinity();
};
using PaceHistories = std::map<std::pair<std::string, DataType>, PaceHistory>;  // by the device's id and type

class Pace {
public:
    // Throws WorkError when the device cannot run the reference. `history` outlives the pace.
    Pace(const DeviceHandle& device, DataType type, PaceHistory& history);

    // Times the reference: some runs, and their median in microseconds.
    double now();
    double last() const { return last_us_; }  // as now() read it last
    double fastest() const { return history_.fastest_us(); }
    bool waited_in_vain() const { return history_.waited_in_vain; }

    // Up to this much above the fastest, the machine is taken to be as fast as ever: clocks that follow
    // temperature and other guests' work move by as much all the time, and waiting for the best of them would
    // take for ever.
    static constexpr double tolerance = 0.10;

private:
    std::unique_ptr<NetworkRunner> runner_;
    PaceHistory& history_;
    double last_us_ = 0.0;
};

}  // namespace hacscale
