// What becomes of a row when its layer is measured once more, or cannot be.
#pragma once

#include <string>

#include "kernels/backend.hpp"
#include "profiler/table/row.hpp"

namespace hacscale {

// One layer timed in two carriers, with a latency in both: the mean, weighted by samples; the later readings.
Row united(const Row& before, const Row& now);

// Takes the row's value away.
void fail(Row& row, const std::string& reason);

// Of a layer that was compiled alone and has no runner: `unsupported` when that is for good, else `failed`.
void no_runner(Row& row, const Compiled& compiled);

}  // namespace hacscale
