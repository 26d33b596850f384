// Whether a table's peak can be right: no layer does more FLOPs a second than the device can at best. A peak
// that was measured while something else ran is too low, and every utilization made from it too high.
#pragma once

#include <optional>

#include "profiler/table/table.hpp"

namespace hacscale {

// Above 1 by what the clocks of the peak and of a row may differ.
constexpr double largest_utilization = 1.03;

// The greatest utilization among the rows of a data type, in whatever batch and state; noisy rows do not
// count. Nothing where the table has no peak or no such row.
std::optional<double> greatest_utilization(const Table& table, DataType type);

// Of two measurements of one device's peak, the better of each figure: nothing makes a device faster than it
// is.
PeakRecord better_of(const PeakRecord& a, const PeakRecord& b);

}  // namespace hacscale
