// What a device's own instruments say beyond the clock: which kernels a layer ran, how full they made the
// device, and what state the device was in. CPUs have none of these; on NVIDIA GPUs they are CUPTI and NVML
// (profiler/cupti, profiler/nvml). Readings are taken in runs of their own, never in those that are timed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend_registry.hpp"
#include "kernels/backend/kernel_launch.hpp"
#include "models/graph/graph.hpp"

namespace hacscale {

// Where a share's counters are read in different passes over the layer, it may come out a little above 1. Beyond this
// it says nothing.
constexpr double max_share = 1.05;

// Of one layer; occupancies and shares are 0..1, weighted by time over its kernels. docs/gpu.md defines each.
struct LayerReadings {
    std::vector<KernelLaunch> kernels;     // in launch order
    std::optional<double> kernel_time_us;  // sum of the kernels' durations: less than the latency by the gaps
    std::optional<double> occupancy_theoretical;
    std::optional<double> occupancy_grid_limited;
    std::optional<double> occupancy_achieved;
    std::optional<double> tensor_active;  // share of cycles in which the matrix units work
    std::optional<double> sm_busy;        // cycles in which a multiprocessor works, over those of the busiest
    std::optional<double> l2_hit_rate;    // of the requests that L2 looks up
    std::optional<double> dram_bytes;
    std::optional<double> sm_throughput;  // only when asked for: it takes many passes
    // Why a value is missing and what to do about it, by the name of its column in the table.
    std::map<std::string, std::string> reasons;
    bool operator==(const LayerReadings&) const = default;
};

// How long one cause has held the device's clocks down since the driver was loaded: differences are what counts.
struct HeldDown {
    std::string cause;
    bool power_cap = false;
    double us = 0.0;
};

// The device's state at one moment.
struct DeviceState {
    std::optional<double> sm_clock_mhz;
    std::optional<double> memory_clock_mhz;
    std::optional<double> temperature_c;
    std::optional<double> power_w;    // docs/gpu.md: over the last second on most devices
    bool throttled = false;           // clocks are held down for heat, or by the hardware
    bool power_capped = false;        // clocks are held down to what the power limit allows
    std::string throttle_reasons;     // in words, with those that do no harm; empty when there are none
    std::vector<HeldDown> held_down;  // of the causes that the device counts
    double at_us = 0.0;               // when it was read, by the host's clock
    std::map<std::string, std::string> reasons;  // as LayerReadings::reasons
};

struct EnergyCounter {
    std::optional<double> mj;  // since the driver was loaded: differences are what counts
    std::string reason;        // why there is none
};

class Instruments {
public:
    virtual ~Instruments() = default;
    // Runs the network layer by layer as often as the counters need. One entry a node. What cannot be had is
    // told in the entries' reasons; throws DeviceLost only.
    virtual std::vector<LayerReadings> inspect(NetworkRunner& runner, const Graph& network) = 0;
    virtual DeviceState state() = 0;
    // These two alone, for asking often while the device works.
    virtual EnergyCounter energy() = 0;
    virtual std::optional<double> sm_clock_mhz() = 0;
    // Kernel records that the tracing library had to drop so far.
    virtual std::int64_t dropped_records() const = 0;
};

struct InstrumentOptions {
    bool sm_throughput = false;  // also the share of the peak of whichever unit of the SM is busiest
};

// Null for a device that has none (CPUs), and in a build without CUDA's headers.
std::unique_ptr<Instruments> open_instruments(const BackendDevice& device,
                                              const InstrumentOptions& options = {});

}  // namespace hacscale
