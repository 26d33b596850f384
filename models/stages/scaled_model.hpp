// A base model with other stage widths, depths and resolution. What hangs on a stage's width follows it by
// fixed rules:
//  - stem convs keep their ratio to the first stage's width, head convs (not linear layers) to the last
//    stage's;
//  - inner widths keep their ratio to the block's width (basic, bottleneck) or to the block's input (inverted
//    residuals);
//  - added blocks repeat the last block of their stage;
//  - derived widths are rounded to the nearest multiple of 8 (of group_width for grouped bottlenecks), at
//    least one multiple, unless the width they are derived from has its base value: then they keep theirs
//    exactly;
//  - an inverted residual without an expansion conv (inner width equal to its input) stays without.
// Inner widths may also be chosen block by block, since no residual edge ties them.
#pragma once

#include <compare>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// One value a stage; the resolution in pixels.
struct ScalingChoice {
    std::vector<int> widths;
    std::vector<int> depths;
    int resolution = 0;
    // Empty: all follow. Else one list a stage, which is empty where the stage's follow, and has one inner
    // width a block elsewhere. Written so that equal models have equal choices: see canonical().
    std::vector<std::vector<int>> inner_widths{};
    auto operator<=>(const ScalingChoice&) const = default;
};

// The rule by which a stage's inner widths follow.
class InnerRule {
public:
    InnerRule(const ModelSpec& base, int stage);
    // Whether the block has an inner width that may be chosen: a block of a kind that has one, and, of
    // inverted residuals, one with an expansion conv. Blocks beyond the base's repeat its last one.
    bool is_free(int block) const;
    // Inner widths are multiples of this.
    int grid() const { return grid_; }
    // The inner width that follows the block's input and the stage's width; the block must have one.
    int derived(int block, int input, int width) const;

private:
    StageSpec base_;
    int base_input_;
    int grid_;
};

// The choice that changes nothing.
ScalingChoice choice_of(const ModelSpec& base);

// `base` passes check(). Throws InputError when the choice has another number of stages or the result fails
// check(). scaled(base, choice_of(base)) == base. The name of the result is the base's.
ModelSpec scaled(const ModelSpec& base, const ScalingChoice& choice);

// The same choice with inner widths that only follow left out.
ScalingChoice canonical(const ModelSpec& base, ScalingChoice choice);

}  // namespace hacscale
