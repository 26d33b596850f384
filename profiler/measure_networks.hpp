// Compiles networks for a device and times them together, while the machine is at its fastest and no clocks
// are held down; then, in runs of their own, lets the device's instruments look at them.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend_registry.hpp"
#include "models/graph/network.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/timing/network_timer.hpp"

namespace hacscale {

struct MeasureSettings {
    int batch = 1;
    DataType type = DataType::f32;
    TimingRules rules;
    RowMethod rows = RowMethod::stopwatch;
    bool layers_count = true;  // the times of layers are used, and not only those of whole networks
    std::uint64_t seed = 1;
    Instruments* instruments = nullptr;  // of the device; without, there are no readings
    double energy_seconds = 2.0;         // a network runs this long for its energy; 0: it is not measured
    double spin_seconds = 0.05;      // the device works this long before a group, so that its clocks are up
    double cool_down_seconds = 2.0;  // pause before what was throttled is measured again
    // For compiling the networks that are timed together: those that are not compiled by then have no timing
    // and no reason.
    double compile_seconds = std::numeric_limits<double>::infinity();
    // How fast the device has been, for what is measured with copies of these settings.
    std::shared_ptr<SpeedHistories> speeds = std::make_shared<SpeedHistories>();
};

// For networks at other widths: energy takes longer than the rest of a network's measurement.
MeasureSettings without_energy(MeasureSettings settings);

// What is measured with these settings waits until the device is as fast as it was before: `reference_us` is the time
// of the reference work then, in microseconds (Row::reference_us, Table::fastest_reference_us()).
void expect_speed(const DeviceHandle& device, const MeasureSettings& settings, double reference_us);

// How long-running work talks to whoever started it.
struct WorkEvents {
    std::function<bool()> keep_going = [] { return true; };  // false: stop soon, keep what there is
    std::function<void(double done, double total, const std::string& what)> progress =
        [](double, double, const std::string&) {};
};

struct NetworkMeasurement {
    NetworkTiming timing;
    std::vector<std::string> implementations;  // one a node
    std::string reason;  // why there is no timing, or why it is not to be trusted; empty when all is well
    std::optional<NoRunner> why_no_runner;  // when it was not compiled
    std::size_t weight_bytes = 0;
    std::size_t activation_bytes = 0;
    // Of the instruments; empty where there are none, or an interruption came before them.
    std::vector<LayerReadings> readings;  // one a node
    std::optional<double> energy_mj;      // one inference
    std::string energy_reason;            // why there is none
    DeviceState state;                    // as the timing ended
    bool measured() const { return timing.samples > 0; }
};

// The network in the layout that suits the device.
Network for_device(Network network, const DeviceHandle& device, int batch, DataType type);

constexpr int max_repeats = 2;  // of a measurement that something disturbed

// Bytes that one pass of the network goes over: weights, and activations that are alive together.
std::int64_t pass_footprint(const Graph& network, int batch, DataType type);

// Results in the order of `networks`, which run with their own weights where they have some, and else with random
// ones. They are timed in one session of interleaved rounds, so that ratios
// between them hold even where the machine changes its speed, and only what was timed at its fastest speed
// counts (profiler/timing/network_timer.hpp); a network for which it never was says so. When the device held
// its clocks down, the session is repeated, at most twice, and then its results say so. Throws DeviceLostInTurn
// with a place in `networks` when the device is lost while one of them is compiled, timed or inspected, and
// DeviceLost when it is lost in between.
std::vector<NetworkMeasurement> measure_networks(const DeviceHandle& device,
                                                 const std::vector<const Network*>& networks,
                                                 const MeasureSettings& settings, const WorkEvents& events);

}  // namespace hacscale
