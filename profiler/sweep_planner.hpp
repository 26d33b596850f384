// Measures what a scaling question needs of a model's space, instead of the full grid.
//
// A layer depends on the widths of its stage and of the one before, so every pair of neighbouring widths
// matters. Coarse widths come first: with K of them a stage, K x K carriers in which even stages take the one
// and odd stages the other width hold every pair of every transition at once. Then widths half-way between
// measured ones are predicted from the table, measured, and compared, all stages in one carrier: where the
// prediction is off by more than the tolerance, both halves are looked at in turn, because latency over width
// is a staircase and the step lies in one of them. What ends the search is thus always a held-out width that
// was predicted well, and these errors are the sweep's own account of itself.
#pragma once

#include <vector>

#include "profiler/profile.hpp"

namespace hacscale {

struct SweepSpace {
    std::vector<std::vector<int>> widths;  // of each stage, ascending, the base's width among them
    std::vector<int> max_depths;           // of each stage: deeper networks reach further through the caches
    std::vector<int> resolutions;          // pixels, the base's among them
};

struct SweepSettings {
    double tolerance = 0.05;      // relative error of a held-out width's stage latency
    double most_seconds = 600.0;  // for the whole sweep; what is not looked at by then stays interpolated
    int coarse_widths = 4;        // K; at resolutions other than the base's it is 3
};

struct SweepSummary {
    ProfileSummary profile;
    int carriers = 0;
    int held_out = 0;           // predictions compared with a measurement
    double median_error = 0.0;  // of the last prediction made of each width, relative
    double worst_error = 0.0;
    bool complete = false;  // no interval left to look at
};

// `base` in the layout for the device. Throws InputError when the space does not fit the base.
SweepSummary sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events);

}  // namespace hacscale
