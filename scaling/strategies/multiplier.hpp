// The baselines that multiply every stage's width, depth, and the resolution by powers of one parameter s:
//     width x s^width, depth x s^depth, resolution x s^resolution
// with depth + 2 width + 2 resolution = 1, so that s is the factor of MACs to first order.
#pragma once

#include <vector>

#include "scaling/strategies/path.hpp"

namespace hacscale::rules {

struct Exponents {
    double width = 0.0;
    double depth = 0.0;
    double resolution = 0.0;
};

// All distinct configurations as s grows from 1, found from where each rounding changes rather than by
// stepping s, so none is skipped. `start` comes first with its own values, on the grid or not.
Path multiplier_path(const ScalingContext& context, const ScalingChoice& start, const Exponents& exponents);

std::vector<Strategy> multiplier_strategies();

}  // namespace hacscale::rules
