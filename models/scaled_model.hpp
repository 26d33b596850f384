// A base model with other stage widths, depths and resolution. What hangs on a stage's width follows it by
// fixed rules:
//  - stem convs keep their ratio to the first stage's width, head convs (not linear layers) to the last
//  stage's;
//  - inner widths keep their ratio to the block's width (basic, bottleneck) or to the block's input (inverted
//  residuals);
//  - added blocks repeat the last block of their stage;
//  - followers are rounded to the nearest multiple of 8 (of group_width for grouped bottlenecks), at least
//  one multiple,
//    unless the width they follow has its base value: then they keep theirs exactly;
//  - an inverted residual without an expansion conv (inner width equal to its input) stays without.
#pragma once

#include <compare>
#include <vector>

#include "models/model_spec.hpp"

namespace hacscale {

// One value a stage; the resolution in pixels.
struct ScalingChoice {
    std::vector<int> widths;
    std::vector<int> depths;
    int resolution = 0;
    auto operator<=>(const ScalingChoice&) const = default;
};

// The choice that changes nothing.
ScalingChoice choice_of(const ModelSpec& base);

// `base` passes check(). Throws InputError when the choice has another number of stages or the result fails
// check(). scaled(base, choice_of(base)) == base. The name of the result is the base's.
ModelSpec scaled(const ModelSpec& base, const ScalingChoice& choice);

}  // namespace hacscale
