// What a device's instruments told of a layer, as its row keeps it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profiler/instruments/instruments.hpp"

namespace hacscale {

// All of it is absent where a device has no instruments (CPUs) or they were not asked. docs/formats.md,
// "Exported columns", and docs/gpu.md define each figure.
struct Readings {
    std::optional<double> kernel_time_us;
    std::optional<double> occupancy_theoretical;
    std::optional<double> occupancy_grid_limited;
    std::optional<double> occupancy_achieved;
    std::optional<double> tensor_active;
    std::optional<double> sm_busy;
    std::optional<double> l2_hit_rate;
    std::optional<double> dram_bytes;
    std::optional<double> sm_throughput;  // only when asked for
    std::optional<double> energy_mj;      // the layer's share, by time, of one inference of its network
    // The device as its group of measurements ended.
    std::optional<double> sm_clock_mhz;
    std::optional<double> memory_clock_mhz;
    std::optional<double> temperature_c;
    std::optional<double> power_w;
    std::string throttle_reasons;  // why clocks were held down meanwhile, in words; empty when they were not
    std::map<std::string, std::string> reasons;  // why a figure is missing, by the name of its column
    std::vector<KernelLaunch> kernels;           // in launch order
    bool operator==(const Readings&) const = default;
};

}  // namespace hacscale
