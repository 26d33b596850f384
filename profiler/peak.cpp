#include "profiler/peak.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "kernels/single_layer.hpp"
#include "models/layer_cost.hpp"
#include "profiler/timing/layer_timer.hpp"

namespace hacscale {

PeakRecord measure_peak(const DeviceHandle& device, DataType type, const WorkEvents& events) {
    PeakRecord peak;
    peak.type = type;
    std::string reason;
    const TimingRules rules{
        .target_half_width = 0.01, .most_seconds = 0.5, .fewest_samples = 20, .burst_us = 20e3};
    for (const LayerSpec& layer : device.backend->peak_layers(type)) {
        if (!events.keep_going()) break;
        const Network network = single_layer(layer);
        const Compiled compiled = device.backend->compile(device.device.id, network, {1, type, 0});
        if (!compiled.runner) {
            reason = compiled.reason;
            continue;
        }
        compiled.runner->load(random_weights(network, 1));
        const auto inputs = static_cast<std::size_t>(layer.in_channels) * layer.in_height * layer.in_width;
        compiled.runner->set_input(random_values(inputs, 2));
        const auto timing =
            time_layers({compiled.runner.get()}, AloneState::warm, rules, 1, events.keep_going).front();
        if (timing.samples == 0) continue;
        const auto flops = static_cast<double>(cost_of(layer, 1, type).flops());
        peak.flops_per_s = std::max(peak.flops_per_s, flops / timing.latency.median * 1e6);
    }
    if (peak.flops_per_s == 0.0 && events.keep_going()) {
        throw WorkError("the peak of " + device.device.id + " in " + std::string(name_of(type)) +
                        " could not be measured: " + reason);
    }
    peak.bytes_per_s = device.backend->copy_bandwidth(device.device.id);
    return peak;
}

}  // namespace hacscale
