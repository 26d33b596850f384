// What accuracy gains by the width and the depth of each stage, from short trainings around a base: which
// networks to train, in which order, and what follows from their accuracies. No training is done here.
//
// Resolution is not among the dimensions. Where images have the pixels of the input, as CIFAR's 32 x 32, a larger input could
// only be the same pixels interpolated, and what that adds says nothing of what more pixels would add.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale {

inline constexpr std::string_view no_resolution_reason =
    "it is not measured: where images have no more pixels than the input, as CIFAR's, a larger input would "
    "show the same pixels interpolated, which says nothing of what more pixels are worth";

enum class StepKind {
    base,
    width,
    depth,
    combination,
    held_out,  // drawn at random, to see how well the gain predicts networks it was not fitted to
};

// One network that is trained.
struct SensitivityStep {
    std::string name;  // "base", "stage1.width-24", "stage1.depth-4", "all-widths", "held-out-1"
    StepKind kind = StepKind::base;
    int stage = -1;  // of width and depth
    ScalingChoice choice;
};

// The base, then width and depth of each stage of `stages` (all of them, where it is empty), each raised
// alone, then combinations of these steps. Widths grow by half, rounded to multiples of 8, by 8 at least;
// depths by half, rounded down, by one block at least; what a model cannot have is left out. Combinations are
// all widths together, all depths, and both; none that is a step already. Last come `held_out` networks with
// random widths and depths in those stages, half to twice the base's, the same ones each time. Throws
// InputError for a stage that the model has not, or has twice in the list.
std::vector<SensitivityStep> sensitivity_steps(const ModelSpec& base, const std::vector<std::string>& stages,
                                               int held_out = 0);

// A step's network, named for base and step.
ModelSpec model_of(const ModelSpec& base, const SensitivityStep& step);

struct SensitivityRun {
    std::size_t step = 0;
    std::uint64_t seed = 1;
};

// What tells most comes first: the base and every dimension with seed 1, then with seed 2 and so on, then the
// combinations and then the networks held out, in the same way.
std::vector<SensitivityRun> sensitivity_runs(const std::vector<SensitivityStep>& steps, int seeds);

struct StepAccuracy {
    std::size_t step = 0;
    std::uint64_t seed = 1;
    double accuracy = 0.0;  // 0..1
};

// Of what was measured over seeds: mean, sample standard deviation (nothing for one seed), and how many.
struct MeasuredGain {
    double mean = 0.0;
    std::optional<double> spread;
    int seeds = 0;
};

struct DimensionSensitivity {
    double ln_ratio = 0.0;     // of the step
    MeasuredGain points;       // accuracy points that the step added
    MeasuredGain coefficient;  // points for each unit of ln ratio, at least 0
};

// Of a network that differs from the base in several dimensions: what the coefficients say of it, and what was measured.
struct PredictionCheck {
    std::string name;
    ScalingChoice choice;
    MeasuredGain points;
    std::optional<double> predicted_points;  // nothing where a coefficient that it needs is not known
};

struct StageSensitivity {
    std::optional<DimensionSensitivity> width, depth;  // nothing: not measured
};

struct Sensitivity {
    std::optional<MeasuredGain> base;  // accuracy points
    std::vector<StageSensitivity> stages;
    std::vector<PredictionCheck> combinations;  // measured ones
    std::vector<PredictionCheck> held_out;      // likewise; no coefficient is fitted to them
};

// Gains are differences to the base with the same seed; a step's accuracy without the base's of its seed is
// not used. Coefficients are those, of at least 0, with which sums of coefficient x ln ratio come nearest (least squares) to the points of
// the steps and of the combinations whose dimensions were all raised alone, too; their spread is that of fits to one seed each.
// `base` is the model that the steps are of.
Sensitivity fit_sensitivity(const ModelSpec& base, const std::vector<SensitivityStep>& steps,
                            const std::vector<StepAccuracy>& accuracies);

}  // namespace hacscale
