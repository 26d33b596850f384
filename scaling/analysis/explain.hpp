// What one step adds to a network: the next width of a stage or a channel group, one more block, the next inner width of a
// block, or the next resolution, everything else left as it is. Of a base and of a chosen network this shows
// why a planner chose what it chose. Steps lead towards the budget: up from a network within it, down, to the next smaller
// values, from one that exceeds it.
//
// Figures are differences, the network after the step less the network before it, predicted from the
// context's latencies. A step's gain per latency is its gain over its latency in per cent of the base's, so
// that networks and devices of any speed can be compared; of a step down it is the loss for each per cent saved.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scaling/analysis/utilization.hpp"
#include "scaling/graph_context.hpp"
#include "scaling/stage_context.hpp"

namespace hacscale {

enum class StepDimension { width, depth, inner_width, resolution };

// Whether the network could have taken the step; of several obstacles, the first in this order is named.
enum class StepOutcome {
    space_end,    // the space has no further value, or not with the network's inner widths
    invalid,      // no valid model has this value
    missing,      // the table lacks a layer of the network after the step
    no_gain,      // up: the gain does not rise
    no_saving,    // down: the latency does not fall
    over_budget,  // the latency after the step exceeds the budget
    over_cap,     // params, MACs or memory after the step exceed a cap
    fits,
};

// What a step adds.
struct StepFigures {
    double latency_us = 0.0;
    double latency_percent = 0.0;       // of the base's latency
    std::optional<double> utilization;  // a difference of fractions; nothing where no peak is known
    std::int64_t params = 0;
    std::int64_t macs = 0;  // of one image
    double gain = 0.0;
    // Gain for each per cent of the base's latency; nothing for a step up that costs no latency, or down that saves none.
    std::optional<double> gain_per_percent;
};

struct Contribution {
    StepDimension dimension = StepDimension::width;
    // Index of the stage, or, of a network without stages, of the width among those of the context's space, and of the depth
    // after them; nothing for the resolution.
    std::optional<int> stage;
    std::optional<int> block;  // index in its stage, of an inner width
    // The base's value: channels, blocks or pixels. Of the inner width of a block that the base lacks, that
    // of the block which it repeats.
    int base = 0;
    int from = 0;
    std::optional<int> to;  // nothing where the space ends
    // The weakest latency among the layers that the step adds, takes away or changes; nothing without a
    // network.
    std::optional<EstimateKind> estimate;
    std::optional<StepFigures>
        added;  // nothing where there is no network after the step, or a latency is missing
    StepOutcome outcome = StepOutcome::space_end;
    std::string reason;  // the outcome in words, with figures; per cent are of the base's latency
};

struct NetworkExplanation {
    Evaluation network;  // before the step
    std::optional<double> utilization;
    double budget_us = 0.0;  // the predicted latency that steps are judged by
    bool down = false;       // the network exceeds it, so that steps lead to smaller networks
    // Of each stage in order width, depth and, where the space lets them be chosen, the inner width of each
    // block; then the resolution. Of a network without stages the widths and the depths that may change.
    std::vector<Contribution> steps;

    bool has_missing() const;
};

// What utilization is computed with.
struct UtilizationBasis {
    DevicePeak peak;
    int batch = 1;
};

// All steps from `from` towards the budget, one a dimension, each judged by `budget_us` and the context's caps.
// Throws InputError when `from` is not in the context's space, or a latency of it is missing.
NetworkExplanation explain(const StageContext& context, const ScalingChoice& from, double budget_us,
                           const std::optional<UtilizationBasis>& basis);
NetworkExplanation explain(const GraphContext& context, const ScalingChoice& from, double budget_us,
                           const std::optional<UtilizationBasis>& basis);

std::string_view name_of(StepDimension dimension);
std::string_view name_of(StepOutcome outcome);

}  // namespace hacscale
