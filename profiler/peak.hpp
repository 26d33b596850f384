// What the device can do at best, measured: the ceilings that utilization and rooflines refer to.
#pragma once

#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// FLOP/s: the best over the backend's large dense layers, timed warm; on CPUs Winograd kernels are among
// them, whose nominal FLOPs are more than the multiplies they do, so that utilization stays at or below one
// for every kernel. Bytes/s: a copy larger than the last-level cache, read and written bytes together.
// A layer is timed again, at most twice, when the device held its clocks down; when it always did, a warning says that
// the peak may be too low.
PeakRecord measure_peak(const DeviceHandle& device, const MeasureSettings& settings,
                        const WorkEvents& events);

}  // namespace hacscale
