// What becomes of a row when its layer is measured once more, or cannot be.
#pragma once

#include <string>

#include "profiler/table/row.hpp"

namespace hacscale {

// One layer timed in two carriers, with a latency in both: the mean, weighted by samples; the later readings.
Row united(const Row& before, const Row& now);

// Takes the row's value away.
void fail(Row& row, const std::string& reason);

}  // namespace hacscale
