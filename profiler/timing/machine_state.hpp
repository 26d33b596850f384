// The state of the machine while something is measured: whether its clocks are held down, the energy that it takes, and
// its speed against the fastest that it has had.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend/backend_registry.hpp"
#include "kernels/backend/network_runner.hpp"
#include "profiler/instruments/instruments.hpp"

namespace hacscale {

// ---- Throttling ----
//
// Notices that the device held its clocks down while something was measured. Without instruments it notices
// nothing.
//
// The reasons that a device tells are those of a moment, and a group takes seconds; so the time for which each cause
// held the clocks down, which the device adds up, is compared as well. A power cap alone is the steady state of a load
// that needs more power than the device may take: it counts where the clock varied within the group.

class ThrottleGuard {
public:
    explicit ThrottleGuard(Instruments* instruments) : instruments_(instruments) {}

    // Around each attempt to measure.
    void begin();
    void end();
    // In between, right after the device was at work: looks at its clock, unless it did so just before. clock_us is
    // the time of the clock that is measured by.
    void look(double clock_us);

    // Of the last attempt.
    bool throttled() const { return slowed_ || (capped_ && clock_varied()); }
    std::string reason() const;  // for rows; empty when it was not throttled
    // As the attempt ended, before the clocks fell; its throttle reasons are those of the whole attempt, a steady power
    // cap among them.
    DeviceState state() const;

    // A cause that holds the clocks down for a smaller share of the time moves no median.
    static constexpr double min_share = 0.01;
    // Between the slow and the fast looks at a clock that follows a power cap.
    static constexpr double clock_tolerance = 0.02;

private:
    bool clock_varied() const;
    void add_cause(const std::string& cause);

    Instruments* instruments_;
    DeviceState before_;
    DeviceState after_;
    std::vector<double> clocks_mhz_;
    double next_look_us_ = 0.0;
    bool slowed_ = false;
    bool capped_ = false;
    std::string causes_;
};

// Waits in short steps, as long as `keep_going` says so.
void pause(double seconds, const std::function<bool()>& keep_going);

// Keeps the device busy for so long: one that idles has lowered its clocks, and takes a while to raise them.
void spin_up(NetworkRunner& runner, double seconds, const std::function<bool()>& keep_going);

// ---- Energy ----
//
// Energy of one inference from the device's energy counter. The counter moves in steps, tens of milliseconds apart, so
// the network runs from one step to another, at least as long as asked. Asking it takes a driver milliseconds, so the
// next inferences are started first: the device computes all the time, and none of the energy is of idling.

struct EnergyReading {
    std::optional<double> inference_mj;
    std::string reason;  // why there is none
    double duty = 0.0;   // the device's own time of the inferences over the time that passed meanwhile
};

// Below it, the energy is too much that of a device that waits.
constexpr double min_duty = 0.98;

// No value where the device has no counter, or one that does not move within `seconds`, or a duty below min_duty, or
// `keep_going` said no.
EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going);

// ---- Speed ----
//
// How fast the machine is now, against the fastest it has been: a small reference network, timed again and
// again.
//
// Other guests of a shared machine slow it down for seconds at a time, and not all layers alike: what stays
// in a core's own caches hardly notices what doubles the time of larger tensors. So the reference has layers
// of both kinds, and times taken while it is slow are left out instead of being corrected.

// What is known of a device's speed in one data type.
struct SpeedHistory {
    // The reference's short time; infinite before the first reading. It is not the shortest reading, since one lucky
    // reading of thousands would raise the bar for all that come, but what one in twenty readings does not exceed. A machine
    // that becomes slow and stays so has soon more than twenty slow readings for each fast one. So the median of some readings
    // in a row counts too: a speed that lasted that long was no luck.
    double fastest_us() const;
    void add_reading(double us);
    // Of an earlier process, from its measurements.
    void expect(double us) { expected_us_ = std::min(us, expected_us_); }

    // The fastest that a measurement was made at: the median of its readings.
    std::optional<double> fastest_measured_us;
    // The machine was slower all the time that the last measurement waited for its fastest speed.
    bool waited_in_vain = false;

    // Adds a measurement that was made at this speed.
    void add_measured(double reference_us) {
        fastest_measured_us = std::min(reference_us, fastest_measured_us.value_or(reference_us));
    }

    static constexpr std::size_t readings_in_row = 5;

private:
    std::vector<double> readings_us_;  // in ascending order
    std::vector<double> latest_us_;    // in the order in which they were read
    double sustained_us_ = std::numeric_limits<double>::infinity();
    double expected_us_ = std::numeric_limits<double>::infinity();
};
using SpeedHistories =
    std::map<std::pair<std::string, DataType>, SpeedHistory>;  // by the device's id and type

class MachineSpeed {
public:
    // Throws WorkError when the device cannot run the reference. `history` outlives the speed.
    MachineSpeed(const DeviceHandle& device, DataType type, SpeedHistory& history);

    // Times the reference: some runs, and their median in microseconds.
    double now();
    // Times it so often that what follows cannot make the history forget the speed of now: most readings in a row are of it.
    void now_in_row();
    double last() const { return last_us_; }  // as now() read it last
    double fastest() const { return history_.fastest_us(); }
    bool waited_in_vain() const { return history_.waited_in_vain; }

    // Up to this much above the fastest, the machine is taken to be as fast as ever: clocks that follow
    // temperature and other guests' work move by as much all the time, and waiting for the best of them would
    // take for ever.
    static constexpr double tolerance = 0.10;

private:
    std::unique_ptr<NetworkRunner> runner_;
    SpeedHistory& history_;
    double last_us_ = 0.0;
};

}  // namespace hacscale
