#include "profiler/detail/pending_rows.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "profiler/row_values.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/timing/layer_timer.hpp"
#include "profiler/timing/machine_state.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale::detail {
namespace {

struct CompiledLayer {
    RowKey key;
    Graph network;
    std::unique_ptr<NetworkRunner> runner;
};

void fill(Row& row, const LayerTiming& timing, const ThrottleGuard& throttle) {
    set_timing(row, timing);
    if (throttle.throttled()) {
        row.status = RowStatus::noisy;
        row.reason = throttle.reason();
    } else if (!timing.converged) {
        row.status = RowStatus::noisy;
        row.reason = fmt::format("its interval was still +-{:.1f} % when the time was up",
                                 100.0 * row.ci95_us / row.latency_us);
    }
}

class IsolatedLayers {
public:
    IsolatedLayers(const DeviceHandle& device, const MeasureSettings& settings, const WorkEvents& events,
                   OutputCheck& check, PendingRows& rows)
        : device_(device), settings_(settings), events_(events), check_(check), rows_(rows) {}

    void measure(const std::vector<LayerSpec>& layers, CacheState cache) {
        // Kernels are chosen for the state they are timed in.
        footprint_bytes_ = cache == CacheState::cold ? std::numeric_limits<std::int64_t>::max() : 0;
        try {
            for (const LayerSpec& layer : layers) {
                Row row = new_row(row_key(layer, {}, settings_, cache), "");
                rows_.losing(row, "it was compiled", [&] { compile(row); });
            }
            time(cache == CacheState::warm ? IsolatedState::warm : IsolatedState::cold);
        } catch (const DeviceLost&) {
            // What has no time yet has nothing to tell, but why it has none.
            std::erase_if(rows_.here(), [](const auto& entry) {
                return has_latency(entry.second.status) && entry.second.samples == 0;
            });
            throw;
        }
    }

private:
    void compile(Row& row) {
        const LayerSpec& layer = row.key.layer;
        Graph network = single_layer(layer);
        Compiled compiled = device_.backend->compile(device_.device.id, network,
                                                     {settings_.batch, settings_.type, footprint_bytes_});
        if (!compiled.runner) {
            no_runner(row, compiled);
            rows_.put(row);
            return;
        }
        row.implementation = compiled.runner->implementation(0);
        compiled.runner->load(random_weights(network, settings_.seed));
        set_inputs(*compiled.runner, random_inputs(network, settings_.batch, 2));
        rows_.put(row);
        layers_.push_back({row.key, std::move(network), std::move(compiled.runner)});
    }

    void time(IsolatedState state) {
        ThrottleGuard throttle(settings_.instruments);
        const std::vector<LayerTiming> timings = time_unthrottled(state, throttle);
        const bool interrupted = !events_.keep_going();
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const RowKey& key = layers_[i].key;
            if (timings[i].samples == 0 || (interrupted && !timings[i].converged)) {
                rows_.here().erase(key);
                continue;
            }
            Row& row = rows_.here()[key];
            fill(row, timings[i], throttle);
            rows_.losing(row, "its output was checked", [&] { check_(row, footprint_bytes_); });
        }
        for (const CompiledLayer& layer : layers_) {
            const auto row = rows_.here().find(layer.key);
            if (row == rows_.here().end() || !has_latency(row->second.status) || !events_.keep_going()) {
                continue;
            }
            inspect(row->second, layer, throttle.state());
        }
    }

    // Again when the device held its clocks down, at most twice.
    std::vector<LayerTiming> time_unthrottled(IsolatedState state, ThrottleGuard& throttle) {
        std::vector<NetworkRunner*> runners;
        for (const CompiledLayer& layer : layers_) runners.push_back(layer.runner.get());
        std::vector<LayerTiming> timings;
        for (int attempt = 0; attempt <= max_repeats; ++attempt) {
            if (attempt > 0) pause(settings_.cool_down_seconds, events_.keep_going);
            throttle.begin();
            const auto watch_and_go = [&] {
                throttle.look(device_.backend->clock_us());
                return events_.keep_going();
            };
            try {
                if (!runners.empty()) spin_up(*runners.front(), settings_.spin_seconds, events_.keep_going);
                timings = time_layers(runners, state, settings_.rules, settings_.seed, watch_and_go);
            } catch (const DeviceLostInTurn& lost) {
                rows_.losing(rows_.here()[layers_[lost.index()].key], "it was timed",
                             [&] { throw DeviceLost(lost.what()); });
            }
            throttle.end();
            if (!throttle.throttled() || !events_.keep_going()) break;
        }
        return timings;
    }

    // The row has its time: when the device is lost now, only readings are.
    void inspect(Row& row, const CompiledLayer& layer, const DeviceState& state) {
        if (settings_.instruments == nullptr) return;
        try {
            const auto readings = settings_.instruments->inspect(*layer.runner, layer.network);
            set_readings(row, {&readings.front()}, state);
            row.readings.reasons["energy_mj"] = "it is measured for whole networks only";
        } catch (const DeviceLost& lost) {
            for (const RowColumn& column : row_columns()) {
                if (!column.reading) continue;
                row.readings.reasons[std::string(column.name)] =
                    fmt::format("the device was lost while its counters were read: {}", lost.what());
            }
            throw;
        }
    }

    const DeviceHandle& device_;
    const MeasureSettings& settings_;
    const WorkEvents& events_;
    OutputCheck& check_;
    PendingRows& rows_;
    std::int64_t footprint_bytes_ = 0;
    std::vector<CompiledLayer> layers_;
};

}  // namespace

void measure_isolated(const DeviceHandle& device, const std::vector<LayerSpec>& layers, CacheState cache,
                      const MeasureSettings& settings, const WorkEvents& events, OutputCheck& check,
                      PendingRows& rows) {
    IsolatedLayers(device, settings, events, check, rows).measure(layers, cache);
}

}  // namespace hacscale::detail
