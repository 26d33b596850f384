// A baseline's configurations in the order in which its parameter reaches them, and the choice of the last
// one that fits.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "scaling/strategies/strategy.hpp"

namespace hacscale::rules {

// Each call gives the next distinct configuration, the base first; nothing at the end.
using Path = std::function<std::optional<ScalingChoice>()>;

Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps);

// No path goes further: MACs grown by this factor are beyond any budget a context plans for that still makes
// a model.
constexpr double largest_factor = 128.0;

}  // namespace hacscale::rules
