// Energy of one inference from the device's energy counter. The counter moves in steps, tens of milliseconds apart, so
// the network runs from one step to another, at least as long as asked. Asking it takes a driver milliseconds, so the
// next inferences are started first: the device computes all the time, and none of the energy is of idling.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "profiler/instruments/instruments.hpp"

namespace hacscale {

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

}  // namespace hacscale
