// Which visits of a measurement count, by the machine's speed in them.
#pragma once

#include <limits>
#include <vector>

#include "profiler/timing/machine_state.hpp"

namespace hacscale {

// One speed for all networks that are timed together: ratios between networks hold at one speed only.
struct CountedSpeed {
    double max_reading_us = std::numeric_limits<double>::infinity();  // of visits that count
    double slowdown = 1.0;  // of the machine in the visits that are needed, against its fastest
    bool slow() const { return slowdown > 1.0 + MachineSpeed::tolerance; }
};

// The fastest speed, where each network had enough visits at it; else the fastest speed at which each had. `readings_us`: for each
// network the speed of each of its visits, that is, the slower of the readings around it.
CountedSpeed counted_speed(const std::vector<std::vector<double>>& readings_us, double fastest_us,
                           int min_visits);

}  // namespace hacscale
