// Energy of one inference from the device's energy counter. The counter moves in steps, tens of milliseconds
// apart, so the network runs from one step to another, at least as long as asked.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "profiler/instruments.hpp"

namespace hacscale {

struct EnergyReading {
    std::optional<double> inference_mj;
    std::string reason;  // why there is none
};

// No value where the device has no counter, or one that does not move within `seconds`, or `keep_going` said
// no.
EnergyReading measure_energy(Instruments& instruments, NetworkRunner& runner, double seconds,
                             const std::function<bool()>& keep_going);

}  // namespace hacscale
