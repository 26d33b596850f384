// A base model with other stage widths, depths and resolution. What hangs on a stage's width follows it by
// fixed rules:
//  - stem convs keep their ratio to the first stage's width, head convs (not linear layers) to the last
//    stage's, but the one that makes the network's output keeps its width;
//  - the width of a rectangular input keeps its ratio to the height;
//  - inner widths keep their ratio to the block's width (basic, bottleneck) or to the block's input (inverted
//    residuals);
//  - added blocks repeat the last block of their stage;
//  - derived widths are rounded to the nearest multiple of 8 (of group_width, or of 8 and the number of groups, for
//    grouped convs), at least one multiple, unless the width they are derived from has its base value: then they keep theirs
//    exactly;
//  - an inverted residual without an expansion conv (inner width equal to its input) stays without.
// Outputs of the network never change: a choice of another width is refused.
// Inner widths may also be chosen block by block, since no residual edge ties them.
#pragma once

#include <compare>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale {

// One value a stage; the resolution in pixels of height.
struct ScalingChoice {
    std::vector<int> widths;
    std::vector<int> depths;
    int resolution = 0;  // the height
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
    // inverted residuals that may lack an expansion conv, one that has it. Blocks beyond the base's repeat its last one.
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

// The same network, whose grouped stages say their number of groups or the channels of each, whichever is kept. A stage whose
// blocks have several numbers of groups stays as it is.
ModelSpec with_kept_groups(ModelSpec model, GroupedConvs kept);
// Of each stage, the groups of its first block's spatial conv; 1 where it has none.
std::vector<int> groups_of(const ModelSpec& model);

// The choice that changes nothing.
ScalingChoice choice_of(const ModelSpec& base);

// Whether the first block of this stage adds what the stage before puts out, as an inverted residual may: both have one
// width then. False for the first stage.
bool tied_to_before(const ModelSpec& base, std::size_t stage);

// Whether the stage at these widths adds what the stage before puts out if and only if it does in the base. Planners choose
// no other widths: two that an add ties move together, and two that are none of one add do not come to coincide.
bool keeps_skip(const ModelSpec& base, std::size_t stage, int width_before, int width);
// The same of all stages.
bool keeps_skips(const ModelSpec& base, const std::vector<int>& widths);

// Of each stage, whether its width is one of the network's outputs, or tied to one by an add: then no choice may change it.
std::vector<bool> given_widths(const ModelSpec& base);

// `base` passes check(). Throws InputError when the choice has another number of stages, changes an output, or
// the result fails check(). scaled(base, choice_of(base)) == base. The name of the result is the base's.
ModelSpec scaled(const ModelSpec& base, const ScalingChoice& choice);

namespace detail {

// The same for a part of a network, whose last width is no output.
ModelSpec scaled_part(const ModelSpec& base, const ScalingChoice& choice);

}  // namespace detail

// The same choice with inner widths that only follow left out.
ScalingChoice canonical(const ModelSpec& base, ScalingChoice choice);

}  // namespace hacscale
