// Compiles networks for a device and times them together, with a guard against drift of the machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernels/backend_registry.hpp"
#include "profiler/timing/network_timer.hpp"

namespace hacscale {

struct MeasureSettings {
    int batch = 1;
    DataType type = DataType::f32;
    TimingRules rules;
    std::uint64_t seed = 1;
};

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
    std::size_t weight_bytes = 0;
    std::size_t activation_bytes = 0;
    bool measured() const { return timing.samples > 0; }
};

// The model in the layout that suits the device.
ModelSpec for_device(ModelSpec model, const DeviceHandle& device);

// Bytes that one pass of the network goes over: weights, and activations that are alive together.
std::int64_t pass_footprint(const Network& network, int batch, DataType type);

// Results in the order of `networks`. They are timed in one session of interleaved rounds, so that ratios
// between them hold even where the machine drifts; a small reference layer is timed before and after, and
// when it moved by more than 3 % the session is repeated, at most twice, and then its results say so.
std::vector<NetworkMeasurement> measure_networks(const DeviceHandle& device,
                                                 const std::vector<Network>& networks,
                                                 const MeasureSettings& settings, const WorkEvents& events);

}  // namespace hacscale
