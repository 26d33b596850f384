// What the device can do at best, measured: the ceilings that utilization and rooflines refer to. And whether a table's peak
// can be right: no layer does more FLOPs a second than the device can at best. A peak that was measured while something else
// ran is too low, and every utilization made from it too high.
#pragma once

#include <optional>

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

// Above 1 by what the clocks of the peak and of a row may differ.
constexpr double largest_utilization = 1.03;

// The greatest utilization among the rows of a data type, in whatever batch and state; noisy rows do not
// count. Nothing where the table has no peak or no such row.
std::optional<double> greatest_utilization(const Table& table, DataType type);

// Of two measurements of one device's peak, the better of each figure: nothing makes a device faster than it
// is.
PeakRecord better_of(const PeakRecord& a, const PeakRecord& b);

}  // namespace hacscale
