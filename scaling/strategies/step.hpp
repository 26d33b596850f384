// One step in one dimension of a network: the next width of a stage, one more block, the next resolution.
#pragma once

#include <vector>

#include "models/stages/scaled_model.hpp"
#include "scaling/space.hpp"

namespace hacscale::rules {

enum class Direction { down, up };

// All neighbours of a choice in a space that lie one value further in one dimension: first widths, then
// depths, by stage, then the resolution. The choice's values must be in the space.
std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ScalingSpace& space,
                                      Direction direction);

}  // namespace hacscale::rules
