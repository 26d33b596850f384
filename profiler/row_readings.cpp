#include "profiler/row_readings.hpp"

#include <utility>

#include "profiler/table/columns.hpp"

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

Readings row_readings(const std::vector<const LayerReadings*>& places, const DeviceState& state) {
    Readings row;
    row.kernel_time_us = mean_of(places, &LayerReadings::kernel_time_us);
    row.occupancy_theoretical = mean_of(places, &LayerReadings::occupancy_theoretical);
    row.occupancy_grid_limited = mean_of(places, &LayerReadings::occupancy_grid_limited);
    row.occupancy_achieved = mean_of(places, &LayerReadings::occupancy_achieved);
    row.tensor_active = mean_of(places, &LayerReadings::tensor_active);
    row.sm_busy = mean_of(places, &LayerReadings::sm_busy);
    row.l2_hit_rate = mean_of(places, &LayerReadings::l2_hit_rate);
    row.dram_bytes = mean_of(places, &LayerReadings::dram_bytes);
    row.sm_throughput = mean_of(places, &LayerReadings::sm_throughput);
    row.kernels = places.front()->kernels;
    row.sm_clock_mhz = state.sm_clock_mhz;
    row.memory_clock_mhz = state.memory_clock_mhz;
    row.temperature_c = state.temperature_c;
    row.power_w = state.power_w;
    row.throttle_reasons = state.throttle_reasons;
    row.reasons = state.reasons;
    for (const LayerReadings* place : places) {
        row.reasons.insert(place->reasons.begin(), place->reasons.end());
    }
    Row holder;
    holder.readings = std::move(row);
    for (const RowColumn& column : row_columns()) {
        if (column.reading && column.get(holder) != ColumnValue()) {
            holder.readings.reasons.erase(std::string(column.name));
        }
    }
    return holder.readings;
}

}  // namespace hacscale
