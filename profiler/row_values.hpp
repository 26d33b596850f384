// What a row keeps of a measurement: the readings of its layer, and what becomes of it when the layer is measured once more, or
// cannot be.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/table/row.hpp"

namespace hacscale {

// `places` are the layer's nodes in its network, at least one: each figure is the mean over those that have
// it, as the row's latency is over all. The kernels are those of the first. `state` is the device's as its
// group of measurements ended.
Readings row_readings(const std::vector<const LayerReadings*>& places, const DeviceState& state);

// Whether rows with these Row::timed_by were timed in one way.
bool same_method(const std::string& one, const std::string& other);

// One layer timed in two carriers, with a latency in both: the mean, weighted by samples; the later readings.
// Of two that were timed in different ways, the later one.
Row united(const Row& before, const Row& now);

// Takes the row's value away.
void fail(Row& row, const std::string& reason);

// Of a layer that was compiled alone and has no runner: `unsupported` when that is for good, else `failed`.
void no_runner(Row& row, const Compiled& compiled);

}  // namespace hacscale
