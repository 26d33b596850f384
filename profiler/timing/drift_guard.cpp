#include "profiler/timing/drift_guard.hpp"

#include <cmath>

#include "base/error.hpp"
#include "kernels/single_layer.hpp"
#include "profiler/timing/layer_timer.hpp"

namespace hacscale {

DriftGuard::DriftGuard(const DeviceHandle& device, DataType type) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 64;
    layer.in_height = layer.in_width = 28;
    layer.kernel = 3;
    layer.padding = 1;
    const Network network = single_layer(layer);
    Compiled compiled = device.backend->compile(device.device.id, network, {1, type, 0});
    if (!compiled.runner)
        throw WorkError("the reference layer cannot run on " + device.device.id + ": " + compiled.reason);
    runner_ = std::move(compiled.runner);
    runner_->load(random_weights(network, 1));
    runner_->set_input(random_values(static_cast<std::size_t>(64) * 28 * 28, 2));
    first_us_ = settled_us();
}

double DriftGuard::settled_us() {
    constexpr int most_rounds = 25;  // of twenty milliseconds
    double before = reference_us();
    for (int round = 1; round < most_rounds; ++round) {
        const double now = reference_us();
        if (std::abs(now / before - 1.0) < tolerance / 3.0) return now;
        before = now;
    }
    return before;
}

double DriftGuard::reference_us() {
    // Twenty milliseconds: long enough to see through a single interruption, short beside what it guards.
    const TimingRules rules{
        .target_half_width = 0.0, .most_seconds = 0.02, .fewest_samples = 20, .burst_us = 20e3};
    return time_layers({runner_.get()}, AloneState::warm, rules, 1, [] { return true; })
        .front()
        .latency.median;
}

double DriftGuard::ratio() {
    return reference_us() / first_us_;
}

}  // namespace hacscale
