// Measures what a scaling question needs of a model's space, instead of the full grid.
//
// A layer depends on the widths of its stage and of the one before, so every pair of neighbouring widths
// matters. Coarse widths come first: with K of them a stage, K x K host networks in which even stages take the one
// and odd stages the other width hold every pair of every transition at once. Then widths half-way between
// measured ones are predicted from the table, measured, and compared, all stages in one host network: where the
// prediction is off by more than the tolerance, both halves are looked at in turn, because latency over width
// is a staircase and the step is in one of them.
//
// Where inner widths may be chosen, a layer depends on a stage's width and an inner width, or on the width
// before and an inner width. As many host networks again hold all these pairs: the inner width of each stage goes
// round with the sum of the two stage widths' places, a Latin square, in which each pair of the three meets
// once. Inner widths between measured ones are held out as stage widths are; one that is predicted badly is
// measured at all coarse stage widths. Last come whole networks drawn at random from the space,
// depths included, predicted before they are measured: rounds of them, until one is predicted well. So what
// ends each search is something held out that was predicted within the tolerance, and these errors are the
// sweep's own account of itself.
#pragma once

#include <optional>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "profiler/sweep/sweep_run.hpp"
#include "profiler/sweep/sweep_space.hpp"

namespace hacscale {

// `base` in the layout for the device. Throws InputError when the space does not fit the base.
SweepSummary sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events);

}  // namespace hacscale
