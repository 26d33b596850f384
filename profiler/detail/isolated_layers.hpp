// Measures layers that run alone, warm or cold.
#pragma once

#include <vector>

#include "profiler/detail/pending_rows.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::detail {

// In interleaved rounds, a row each into `rows`; what an interruption left unfinished has none. Throws
// DeviceLost, and the row of the layer that was on the device says so.
void measure_alone(const DeviceHandle& device, const std::vector<LayerSpec>& layers, CacheState cache,
                   const MeasureSettings& settings, const WorkEvents& events, OutputCheck& check,
                   PendingRows& rows);

}  // namespace hacscale::detail
