#include "models/stages/scaled_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/error.hpp"
#include "models/stages/model_problem.hpp"

namespace hacscale {
namespace {

constexpr int derived_grid = 8;

// A width that follows another: it keeps the base's ratio to it, on the grid; unchanged if the other is
// unchanged.
int derived_width(int base_width, int base_leader, int leader, int grid) {
    if (leader == base_leader) return base_width;
    const double exact = static_cast<double>(base_width) * leader / base_leader;
    const double multiples = std::max(1.0, std::round(exact / grid));
    // check() refuses what is above its limit; clamping keeps the conversion defined.
    return static_cast<int>(std::min(multiples * grid, 1e9));
}

void derive_conv_widths(std::vector<PlainLayer>& layers, int base_leader, int leader) {
    for (PlainLayer& layer : layers) {
        if (auto* conv = std::get_if<ConvSpec>(&layer)) {
            conv->width = derived_width(conv->width, base_leader, leader, derived_grid);
        }
    }
}

// The inner widths of a stage with another width, depth and input.
std::vector<int> derived_inner_widths(const InnerRule& rule, const StageSpec& changed, int input) {
    std::vector<int> inner_widths;
    if (!has_inner_width(changed.block)) return inner_widths;
    inner_widths.reserve(changed.depth);
    for (int block = 0; block < changed.depth; ++block) {
        inner_widths.push_back(rule.derived(block, block == 0 ? input : changed.width, changed.width));
    }
    return inner_widths;
}

void require_size(std::string_view what, std::size_t size, std::size_t stages) {
    if (size == stages) return;
    throw InputError(
        fmt::format("the scaling choice has {} {}, but the model has {} stages", size, what, stages));
}

void require_inner(const ScalingChoice& choice, std::size_t stage, const StageSpec& changed) {
    if (!has_inner_width(changed.block)) {
        throw InputError(fmt::format(
            "the scaling choice has inner widths for stage {}, whose blocks have none", stage + 1));
    }
    if (choice.inner_widths[stage].size() != static_cast<std::size_t>(changed.depth)) {
        throw InputError(
            fmt::format("the scaling choice has {} inner widths for stage {}, expected one for each "
                        "of its {} blocks",
                        choice.inner_widths[stage].size(), stage + 1, changed.depth));
    }
}

}  // namespace

InnerRule::InnerRule(const ModelSpec& base, int stage)
    : base_(base.stages[static_cast<std::size_t>(stage)]),
      base_input_(stage_input_width(base, stage)),
      grid_(base_.group_width > 0 ? base_.group_width : derived_grid) {}

bool InnerRule::is_free(int block) const {
    if (!has_inner_width(base_.block)) return false;
    if (base_.block != BlockKind::inverted_residual) return true;
    const int model_block = std::min(block, base_.depth - 1);
    return base_.inner_widths[model_block] != (model_block == 0 ? base_input_ : base_.width);
}

int InnerRule::derived(int block, int input, int width) const {
    const int model_block = std::min(block, base_.depth - 1);
    const int base_inner = base_.inner_widths[model_block];
    if (!inner_derives_from_input(base_.block)) return derived_width(base_inner, base_.width, width, grid_);
    const int base_leader = model_block == 0 ? base_input_ : base_.width;
    const int leader = block == 0 ? input : width;
    // An inner width equal to its input says "no expansion conv", and goes on saying so off the grid.
    return base_inner == base_leader ? leader : derived_width(base_inner, base_leader, leader, grid_);
}

ScalingChoice choice_of(const ModelSpec& base) {
    ScalingChoice choice;
    for (const StageSpec& stage : base.stages) {
        choice.widths.push_back(stage.width);
        choice.depths.push_back(stage.depth);
    }
    choice.resolution = base.resolution;
    return choice;
}

ModelSpec scaled(const ModelSpec& base, const ScalingChoice& choice) {
    detail::check_fields(base);
    require_size("widths", choice.widths.size(), base.stages.size());
    require_size("depths", choice.depths.size(), base.stages.size());
    if (!choice.inner_widths.empty()) {
        require_size("lists of inner widths", choice.inner_widths.size(), base.stages.size());
    }
    for (const int depth : choice.depths) {
        if (depth < 1 || depth > max_stage_depth) {
            throw InputError(fmt::format("the scaling choice has a depth of {}, expected 1 to {}", depth,
                                         max_stage_depth));
        }
    }
    ModelSpec model = base;
    model.resolution = choice.resolution;
    if (!base.stages.empty()) {
        derive_conv_widths(model.stem, base.stages.front().width, choice.widths.front());
        derive_conv_widths(model.head, base.stages.back().width, choice.widths.back());
    }
    for (std::size_t i = 0; i < base.stages.size(); ++i) {
        StageSpec& stage = model.stages[i];
        stage.width = choice.widths[i];
        stage.depth = choice.depths[i];
        stage.inner_widths = derived_inner_widths(InnerRule(base, static_cast<int>(i)), stage,
                                                  stage_input_width(model, static_cast<int>(i)));
        if (i < choice.inner_widths.size() && !choice.inner_widths[i].empty()) {
            require_inner(choice, i, stage);
            stage.inner_widths = choice.inner_widths[i];
        }
    }
    check(model);
    return model;
}

ScalingChoice canonical(const ModelSpec& base, ScalingChoice choice) {
    ScalingChoice following = choice;
    following.inner_widths.clear();
    const ModelSpec model = scaled(base, following);
    bool all_follow = true;
    for (std::size_t s = 0; s < choice.inner_widths.size(); ++s) {
        if (choice.inner_widths[s] == model.stages[s].inner_widths) choice.inner_widths[s].clear();
        all_follow = all_follow && choice.inner_widths[s].empty();
    }
    if (all_follow) choice.inner_widths.clear();
    return choice;
}

}  // namespace hacscale
