#include "scaling/strategies/step.hpp"

#include <algorithm>
#include <optional>

namespace hacscale::rules {
namespace {

// The next of ascending values; nothing at the end, or when the value is none of them.
std::optional<int> next(const std::vector<int>& values, int value, Direction direction) {
    const auto at = std::lower_bound(values.begin(), values.end(), value);
    if (at == values.end() || *at != value) return std::nullopt;
    if (direction == Direction::down) return at == values.begin() ? std::nullopt : std::optional(*(at - 1));
    return at + 1 == values.end() ? std::nullopt : std::optional(*(at + 1));
}

}  // namespace

std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ScalingSpace& space,
                                      Direction direction) {
    std::vector<ScalingChoice> steps;
    const auto add = [&](const std::vector<int>& values, int value, const auto& set) {
        if (const std::optional<int> to = next(values, value, direction)) {
            set(steps.emplace_back(choice), *to);
        }
    };
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        add(space.stages[s].widths, choice.widths[s],
            [s](ScalingChoice& step, int value) { step.widths[s] = value; });
    }
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        add(space.stages[s].depths, choice.depths[s],
            [s](ScalingChoice& step, int value) { step.depths[s] = value; });
    }
    add(space.resolutions, choice.resolution,
        [](ScalingChoice& step, int value) { step.resolution = value; });
    return steps;
}

}  // namespace hacscale::rules
