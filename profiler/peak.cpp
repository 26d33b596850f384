#include "profiler/peak.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/layer_spec.hpp"
#include "profiler/timing/layer_timer.hpp"
#include "profiler/timing/machine_state.hpp"

namespace hacscale {
namespace {

constexpr TimingRules peak_rules{
    .target_half_width = 0.01, .max_seconds = 0.5, .min_samples = 20, .burst_us = 20e3};

LayerTiming time_unthrottled(const DeviceHandle& device, NetworkRunner& runner,
                             const MeasureSettings& settings, const WorkEvents& events) {
    ThrottleGuard throttle(settings.instruments);
    LayerTiming timing;
    for (int attempt = 0; attempt <= max_repeats && events.keep_going(); ++attempt) {
        if (attempt > 0) pause(settings.cool_down_seconds, events.keep_going);
        throttle.begin();
        spin_up(runner, settings.spin_seconds, events.keep_going);
        const auto watch_and_go = [&] {
            throttle.look(device.backend->clock_us());
            return events.keep_going();
        };
        timing = time_layers({&runner}, IsolatedState::warm, peak_rules, 1, watch_and_go).front();
        throttle.end();
        if (!throttle.throttled()) return timing;
    }
    if (throttle.throttled()) spdlog::warn("the peak may be too low: {}", throttle.reason());
    return timing;
}

}  // namespace

PeakRecord measure_peak(const DeviceHandle& device, const MeasureSettings& settings,
                        const WorkEvents& events) {
    const DataType type = settings.type;
    PeakRecord peak;
    peak.type = type;
    std::string reason;
    for (const LayerSpec& layer : device.backend->peak_layers(type)) {
        if (!events.keep_going()) break;
        const Graph network = single_layer(layer);
        const Compiled compiled = device.backend->compile(device.device.id, network, {1, type, 0});
        if (!compiled.runner) {
            reason = compiled.reason;
            continue;
        }
        compiled.runner->load(random_weights(network, 1));
        set_inputs(*compiled.runner, random_inputs(network, 1, 2));
        const LayerTiming timing = time_unthrottled(device, *compiled.runner, settings, events);
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

std::optional<double> greatest_utilization(const Table& table, DataType type) {
    const std::optional<PeakRecord> peak = table.peak(type);
    if (!peak || !(peak->flops_per_s > 0.0)) return std::nullopt;
    RowFilter filter;
    filter.type = type;
    filter.status = RowStatus::ok;
    std::optional<double> greatest;
    table.for_each(filter, [&](const Row& row) {
        const auto flops = static_cast<double>(cost_of(row.key.layer, row.key.batch, type).flops());
        const double utilization = flops / (row.latency_us * 1e-6 * peak->flops_per_s);
        greatest = std::max(greatest.value_or(0.0), utilization);
    });
    return greatest;
}

PeakRecord better_of(const PeakRecord& a, const PeakRecord& b) {
    PeakRecord better = b;
    better.flops_per_s = std::max(a.flops_per_s, b.flops_per_s);
    better.bytes_per_s = std::max(a.bytes_per_s, b.bytes_per_s);
    return better;
}

}  // namespace hacscale
