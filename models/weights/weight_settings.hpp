// What may be chosen when a scaled network gets its weights.
#pragma once

#include <cstdint>

#include "models/weights/unit_scores.hpp"

namespace hacscale {

struct WeightSettings {
    // Of each group that gets fewer units. Empty: weight_scores(). A group without scores that has to lose units is an error.
    UnitScores unit_scores{};
    // Of each repeat that gets fewer blocks and whose blocks the choice does not name. Empty: block_scores().
    BlockScores block_scores{};
    // Which units are copied first, and how unequally their copies are read.
    std::uint64_t seed = 1;
    // Copies of a unit are read by weights that are up to this share larger or smaller than equal ones, with the same sum: equal copies
    // would have equal gradients and stay equal. From 0 to below 0.5.
    double unevenness = 0.2;
};

}  // namespace hacscale
