// What a row keeps of a measurement: its key, the times and readings of its layer, and what becomes of it when the layer is
// measured once more, or cannot be.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/row.hpp"
#include "profiler/timing/layer_timer.hpp"
#include "profiler/timing/network_timer.hpp"

namespace hacscale {

// The key for a layer of a network in a state.
RowKey row_key(const LayerSpec& layer, const Graph& network, const MeasureSettings& settings,
               CacheState cache);

// The Row::timed_by of rows that are measured with these settings.
std::string method_of(const RowKey& key, const MeasureSettings& settings);

// The times of a layer at these nodes of its network, at least one: the mean over the places, so that a sum over the
// network stays right.
void set_timing(Row& row, const NetworkTiming& timing, const std::vector<std::size_t>& nodes);

// The times of a layer that ran alone.
void set_timing(Row& row, const LayerTiming& timing);

// `places` are the layer's nodes in its network, at least one: each figure is the mean over those that have
// it, as the row's latency is over all. The kernels are those of the first. `state` is the device's as its
// group of measurements ended.
void set_readings(Row& row, const std::vector<const LayerReadings*>& places, const DeviceState& state);

// Whether rows with these Row::timed_by were timed in one way.
bool same_method(const std::string& one, const std::string& other);

// One layer timed in two host networks, with a latency in both: the mean, weighted by samples; the later readings.
// Of two that were timed in different ways, the later one.
Row merged(const Row& before, const Row& now);

// Takes the row's value away.
void fail(Row& row, const std::string& reason);

// Of a layer that was compiled alone and has no runner: `unsupported` when that is for good, else `failed`.
void no_runner(Row& row, const Compiled& compiled);

}  // namespace hacscale
