// From what the instruments said of a network's nodes to what a row keeps of a layer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "profiler/instruments/instruments.hpp"
#include "profiler/table/readings.hpp"

namespace hacscale {

// `places` are the layer's nodes in its network, at least one: each figure is the mean over those that have
// it, as the row's latency is over all. The kernels are those of the first. `state` is the device's as its
// group of measurements ended.
Readings row_readings(const std::vector<const LayerReadings*>& places, const DeviceState& state);

}  // namespace hacscale
