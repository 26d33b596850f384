#include "scaling/detail/fragment.hpp"

#include <utility>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale::detail {

std::vector<int> stage_input_resolutions(const ModelSpec& base, int resolution) {
    ScalingChoice choice = choice_of(base);
    choice.resolution = resolution;
    std::vector<int> inputs(base.stages.size(), 0);
    for (const Node& node : lower(scaled(base, choice)).nodes) {
        if (node.stage < 0 || node.stage >= static_cast<int>(inputs.size())) continue;
        int& input = inputs[static_cast<std::size_t>(node.stage)];
        if (input == 0) input = node.layer.in_height;
    }
    return inputs;
}

Fragment Fragment::of_stage(const ModelSpec& base, std::size_t stage, int resolution,
                            const std::vector<int>& input_resolutions) {
    Fragment fragment;
    fragment.base_ = base;
    fragment.base_.head.clear();
    if (stage == 0) {
        fragment.base_.resolution = resolution;
        fragment.base_.stages = {base.stages.front()};
        fragment.first_stage_ = -1;
        return fragment;
    }
    fragment.base_.in_channels = stage_input_width(base, static_cast<int>(stage) - 1);
    fragment.base_.resolution = input_resolutions[stage - 1];
    fragment.base_.stem.clear();
    fragment.base_.stages = {base.stages[stage - 1], base.stages[stage]};
    fragment.first_stage_ = 1;
    return fragment;
}

Fragment Fragment::of_head(const ModelSpec& base, const std::vector<int>& input_resolutions) {
    Fragment fragment;
    fragment.base_ = base;
    fragment.base_.in_channels = stage_input_width(base, static_cast<int>(base.stages.size()) - 1);
    fragment.base_.resolution = input_resolutions.back();
    fragment.base_.stem.clear();
    fragment.base_.stages = {base.stages.back()};
    fragment.first_stage_ = 1;
    return fragment;
}

std::optional<std::vector<FragmentNode>> Fragment::nodes(int previous_width, int width, int depth,
                                                         int inner) const {
    ScalingChoice choice{{width}, {depth}, base_.resolution};
    if (base_.stages.size() == 2) choice = {{previous_width, width}, {1, depth}, base_.resolution};
    try {
        ModelSpec model = scaled(base_, choice);
        if (inner > 0) model.stages.back().inner_widths.back() = inner;
        Graph network = lower(model);
        const std::vector<std::int64_t> alive = alive_activations(network);
        std::vector<FragmentNode> nodes;
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            if (network.nodes[i].stage >= first_stage_) {
                nodes.push_back({std::move(network.nodes[i]), alive[i]});
            }
        }
        return nodes;
    } catch (const InputError&) {
        return std::nullopt;
    }
}

}  // namespace hacscale::detail
