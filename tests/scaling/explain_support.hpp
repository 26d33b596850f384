// What tests of contributions share: random networks of a space, and steps taken.
#pragma once

#include <random>
#include <utility>
#include <vector>

#include "models/stages/scaled_model.hpp"
#include "scaling/analysis/explain.hpp"

namespace hacscale::testing {

inline constexpr UtilizationBasis basis{{1e11, 2e10}, 1};

inline ScalingSettings settings_with(std::vector<int> resolutions) {
    ScalingSettings settings;
    settings.space.resolutions = std::move(resolutions);
    return settings;
}

// With the residual adds of the base.
inline ScalingChoice random_choice(const ModelSpec& base, const ScalingSpace& space,
                                   std::mt19937_64& random) {
    const auto pick = [&random](const std::vector<int>& values) { return values[random() % values.size()]; };
    ScalingChoice choice;
    do {
        choice = {};
        for (const StageSpace& stage : space.stages) {
            choice.widths.push_back(pick(stage.widths));
            choice.depths.push_back(pick(stage.depths));
        }
    } while (!keeps_skips(base, choice.widths));
    choice.resolution = pick(space.resolutions);
    return choice;
}

// The network after the step, by the words of scaling/analysis/explain.hpp.
inline ScalingChoice after(ScalingChoice choice, const Contribution& step, const ModelSpec& base) {
    const auto stage = static_cast<std::size_t>(step.stage.value_or(0));
    switch (step.dimension) {
        case StepDimension::width:
            choice.widths[stage] = *step.to;
            break;
        case StepDimension::depth:
            choice.depths[stage] = *step.to;
            if (stage < choice.inner_widths.size() && !choice.inner_widths[stage].empty()) {
                std::vector<int>& inner = choice.inner_widths[stage];
                inner.resize(static_cast<std::size_t>(*step.to), inner.back());
            }
            break;
        case StepDimension::inner_width: {
            const ModelSpec before = scaled(base, choice);
            choice.inner_widths.resize(base.stages.size());
            choice.inner_widths[stage] = before.stages[stage].inner_widths;
            choice.inner_widths[stage][static_cast<std::size_t>(*step.block)] = *step.to;
            break;
        }
        case StepDimension::resolution:
            choice.resolution = *step.to;
            break;
    }
    return choice;
}

}  // namespace hacscale::testing
