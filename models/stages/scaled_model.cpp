#include "models/stages/scaled_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>

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

// A width equal to its leader's stays equal to it, on the grid or not: an add may tie the two.
void derive_conv_widths(std::span<PlainLayer> layers, int base_leader, int leader) {
    for (PlainLayer& layer : layers) {
        auto* conv = std::get_if<ConvSpec>(&layer);
        if (conv == nullptr) continue;
        const int grid = std::lcm(derived_grid, conv->groups);
        conv->width = conv->width == base_leader && conv->groups == 1
                          ? leader
                          : derived_width(conv->width, base_leader, leader, grid);
    }
}

bool sets_width(const PlainLayer& layer) {
    return std::holds_alternative<ConvSpec>(layer) || std::holds_alternative<LinearSpec>(layer);
}

// The layers of the head before the one that makes the network's output.
std::span<PlainLayer> before_output(std::vector<PlainLayer>& head) {
    const auto last = std::find_if(head.rbegin(), head.rend(), sets_width);
    return {head.begin(), last == head.rend() ? head.begin() : last.base() - 1};
}

// The width of the input at another height; the ratio of the two stays. 0: square.
int derived_resolution_width(const ModelSpec& base, int resolution) {
    if (base.resolution_width == 0 || resolution == base.resolution) return base.resolution_width;
    const std::int64_t scaled_width = std::int64_t{base.resolution_width} * resolution;
    if (scaled_width % base.resolution != 0) {
        throw InputError(
            fmt::format("the input of {} is {} x {}, and {} pixels of height leave no whole width in this "
                        "ratio; choose a "
                        "multiple of {}",
                        base.name, base.resolution, base.resolution_width, resolution,
                        base.resolution / std::gcd(base.resolution, base.resolution_width)));
    }
    return static_cast<int>(std::clamp<std::int64_t>(scaled_width / base.resolution, -1, 1'000'000'000));
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
      grid_(base_.group_width > 0 ? base_.group_width : std::lcm(derived_grid, base_.groups)) {}

bool InnerRule::is_free(int block) const {
    if (!has_inner_width(base_.block)) return false;
    if (!may_lack_expansion(base_)) return true;
    const int model_block = std::min(block, base_.depth - 1);
    return base_.inner_widths[model_block] != (model_block == 0 ? base_input_ : base_.width);
}

int InnerRule::derived(int block, int input, int width) const {
    const int model_block = std::min(block, base_.depth - 1);
    const int base_inner = base_.inner_widths[model_block];
    if (!inner_derives_from_input(base_.block)) return derived_width(base_inner, base_.width, width, grid_);
    const int base_leader = model_block == 0 ? base_input_ : base_.width;
    const int leader = block == 0 ? input : width;
    // An inner width equal to its input may say "no expansion conv", and then does so off the grid too.
    return base_inner == base_leader && may_lack_expansion(base_)
               ? leader
               : derived_width(base_inner, base_leader, leader, grid_);
}

bool tied_to_before(const ModelSpec& base, std::size_t stage) {
    return stage > 0 &&
           has_optional_skip(base.stages[stage], base.stages[stage - 1].width, base.stages[stage].width);
}

bool keeps_skip(const ModelSpec& base, std::size_t stage, int width_before, int width) {
    return stage == 0 ||
           tied_to_before(base, stage) == has_optional_skip(base.stages[stage], width_before, width);
}

bool keeps_skips(const ModelSpec& base, const std::vector<int>& widths) {
    for (std::size_t stage = 1; stage < std::min(widths.size(), base.stages.size()); ++stage) {
        if (!keeps_skip(base, stage, widths[stage - 1], widths[stage])) return false;
    }
    return true;
}

std::vector<bool> given_widths(const ModelSpec& base) {
    std::vector<bool> given(base.stages.size(), false);
    for (const int stage : base.output_stages) given[static_cast<std::size_t>(stage)] = true;
    if (!given.empty() && std::none_of(base.head.begin(), base.head.end(), sets_width)) given.back() = true;
    // What an add ties to such a width cannot change either.
    for (std::size_t i = 1; i < given.size(); ++i) {
        if (tied_to_before(base, i) && given[i - 1]) given[i] = true;
    }
    for (std::size_t i = given.size(); i-- > 1;) {
        if (tied_to_before(base, i) && given[i]) given[i - 1] = true;
    }
    return given;
}

ModelSpec with_kept_groups(ModelSpec model, GroupedConvs kept) {
    for (StageSpec& stage : model.stages) {
        const std::vector<int>& inner = stage.inner_widths;
        if (inner.empty() ||
            std::adjacent_find(inner.begin(), inner.end(), std::not_equal_to<>()) != inner.end()) {
            continue;
        }
        if (kept == GroupedConvs::keep_count && stage.group_width > 0) {
            stage.groups = inner.front() / std::exchange(stage.group_width, 0);
        } else if (kept == GroupedConvs::keep_width && stage.groups > 1) {
            stage.group_width = inner.front() / std::exchange(stage.groups, 1);
        }
    }
    return model;
}

std::vector<int> groups_of(const ModelSpec& model) {
    std::vector<int> groups;
    for (const StageSpec& stage : model.stages) {
        const bool by_width = stage.group_width > 0 && !stage.inner_widths.empty();
        groups.push_back(by_width ? stage.inner_widths.front() / stage.group_width : stage.groups);
    }
    return groups;
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
    const std::vector<bool> given = given_widths(base);
    for (std::size_t i = 0; i < std::min(given.size(), choice.widths.size()); ++i) {
        if (!given[i] || choice.widths[i] == base.stages[i].width) continue;
        throw InputError(fmt::format("the width of {} is one of the network's outputs and stays {}, not {}",
                                     detail::words_for(base, ModelSection::stages, static_cast<int>(i)),
                                     base.stages[i].width, choice.widths[i]));
    }
    return detail::scaled_part(base, choice);
}

ModelSpec detail::scaled_part(const ModelSpec& base, const ScalingChoice& choice) {
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
    model.resolution_width = derived_resolution_width(base, choice.resolution);
    if (!base.stages.empty()) {
        derive_conv_widths(model.stem, base.stages.front().width, choice.widths.front());
        derive_conv_widths(before_output(model.head), base.stages.back().width, choice.widths.back());
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
