#include "profiler/row_values.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "profiler/table/columns.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

std::optional<double> mean_of(const std::vector<const LayerReadings*>& places,
                              std::optional<double> LayerReadings::*value) {
    double sum = 0.0;
    int count = 0;
    for (const LayerReadings* place : places) {
        if (const std::optional<double>& figure = place->*value) {
            sum += *figure;
            ++count;
        }
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

}  // namespace

RowKey row_key(const LayerSpec& layer, const Graph& network, const MeasureSettings& settings,
               CacheState cache) {
    RowKey key{layer, settings.batch, settings.type, cache, 0};
    if (cache == CacheState::network) {
        key.footprint_bytes = footprint_bucket(pass_footprint(network, settings.batch, settings.type));
    }
    return key;
}

std::string method_of(const RowKey& key, const MeasureSettings& settings) {
    return key.cache == CacheState::network ? std::string(name_of(settings.rows)) : "";
}

void set_timing(Row& row, const NetworkTiming& timing, const std::vector<std::size_t>& nodes) {
    const auto count = static_cast<double>(nodes.size());
    for (const std::size_t node : nodes) {
        row.latency_us += timing.nodes[node].mean / count;
        row.ci95_us += timing.nodes[node].half_width / count;
        row.min_us = std::min(row.min_us.value_or(timing.nodes[node].min), timing.nodes[node].min);
    }
    if (!std::isfinite(row.ci95_us)) row.ci95_us = row.latency_us;
    row.samples = timing.layer_samples * static_cast<std::int64_t>(nodes.size());
    row.reference_us = timing.reference_us;
}

void set_timing(Row& row, const LayerTiming& timing) {
    row.latency_us = timing.latency.median;
    row.ci95_us = std::isfinite(timing.latency.half_width) ? timing.latency.half_width : row.latency_us;
    row.samples = timing.samples;
    row.min_us = timing.latency.min;
}

void set_readings(Row& row, const std::vector<const LayerReadings*>& places, const DeviceState& state) {
    Readings readings;
    readings.kernel_time_us = mean_of(places, &LayerReadings::kernel_time_us);
    readings.occupancy_theoretical = mean_of(places, &LayerReadings::occupancy_theoretical);
    readings.occupancy_grid_limited = mean_of(places, &LayerReadings::occupancy_grid_limited);
    readings.occupancy_achieved = mean_of(places, &LayerReadings::occupancy_achieved);
    readings.tensor_active = mean_of(places, &LayerReadings::tensor_active);
    readings.sm_busy = mean_of(places, &LayerReadings::sm_busy);
    readings.l2_hit_rate = mean_of(places, &LayerReadings::l2_hit_rate);
    readings.dram_bytes = mean_of(places, &LayerReadings::dram_bytes);
    readings.sm_throughput = mean_of(places, &LayerReadings::sm_throughput);
    readings.kernels = places.front()->kernels;
    readings.sm_clock_mhz = state.sm_clock_mhz;
    readings.memory_clock_mhz = state.memory_clock_mhz;
    readings.temperature_c = state.temperature_c;
    readings.power_w = state.power_w;
    readings.throttle_reasons = state.throttle_reasons;
    readings.reasons = state.reasons;
    for (const LayerReadings* place : places) {
        readings.reasons.insert(place->reasons.begin(), place->reasons.end());
    }
    row.readings = std::move(readings);
    for (const RowColumn& column : row_columns()) {
        if (column.reading && column.get(row) != ColumnValue()) {
            row.readings.reasons.erase(std::string(column.name));
        }
    }
}

bool same_method(const std::string& one, const std::string& other) {
    return (one == name_of(RowMethod::prefix)) == (other == name_of(RowMethod::prefix));
}

Row merged(const Row& before, const Row& now) {
    if (!same_method(before.timed_by, now.timed_by)) return now;
    if (before.machine_was_slower(now.reference_us)) return now;
    if (now.machine_was_slower(before.reference_us)) return before;
    if (before.status == RowStatus::noisy && now.status == RowStatus::ok) return now;
    Row row = before.status == RowStatus::ok ? before : now;
    const auto samples = static_cast<double>(before.samples + now.samples);
    const double old_share = static_cast<double>(before.samples) / samples;
    row.latency_us = old_share * before.latency_us + (1.0 - old_share) * now.latency_us;
    row.ci95_us = std::hypot(old_share * before.ci95_us, (1.0 - old_share) * now.ci95_us);
    row.samples = before.samples + now.samples;
    row.measured_at = now.measured_at;
    row.reference_us = now.reference_us ? now.reference_us : before.reference_us;
    if (before.reference_us && now.reference_us) {
        row.reference_us = old_share * *before.reference_us + (1.0 - old_share) * *now.reference_us;
    }
    if (now.overhead_us) row.overhead_us = now.overhead_us;
    row.min_us.reset();  // of a part of the runs it would say nothing
    if (before.min_us && now.min_us) row.min_us = std::min(*before.min_us, *now.min_us);
    if (now.readings != Readings{}) row.readings = now.readings;
    return row;
}

void fail(Row& row, const std::string& reason) {
    row.status = RowStatus::failed;
    row.reason = reason;
    row.latency_us = row.ci95_us = 0.0;
    row.samples = 0;
    row.timed_by.clear();
    row.overhead_us.reset();
    row.min_us.reset();
    row.readings = {};
}

void no_runner(Row& row, const Compiled& compiled) {
    fail(row, compiled.reason);
    if (compiled.why == NoRunner::unsupported) row.status = RowStatus::unsupported;
}

}  // namespace hacscale
