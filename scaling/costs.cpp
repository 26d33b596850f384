#include "scaling/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "scaling/detail/block_costs.hpp"

namespace hacscale {
namespace {

using detail::BlockOptions;
using detail::BlockWidths;
using detail::Fragment;
using detail::FragmentNode;
using detail::LayerCosts;

// The cost tables of the whole network at one resolution.
class ChainAssembly {
public:
    ChainAssembly(const ModelSpec& base, const ScalingSpace& space, int resolution, LayerCosts& layer_costs)
        : base_(base),
          space_(space),
          layer_costs_(layer_costs),
          resolution_(resolution),
          input_sizes_(detail::stage_input_sizes(base, resolution)) {}

    Chain run() {
        Chain chain;
        for (std::size_t s = 0; s < space_.stages.size(); ++s) chain.stages.push_back(stage(s));
        return chain;
    }

private:
    using Nodes = std::optional<std::vector<FragmentNode>>;  // nothing: no valid model

    ChainStage stage(std::size_t s) {
        const StageSpace& options = space_.stages[s];
        const std::vector<int> previous_widths = s > 0 ? space_.stages[s - 1].widths : std::vector<int>{0};
        const Fragment fragment = Fragment::of_stage(base_, s, resolution_, input_sizes_);
        // Blocks after the first are alike but for their derived inner widths: one kind for each of
        // the base's, the last of which repeats.
        const int kinds = std::max(1, base_.stages[s].depth - 1);
        ChainStage result = make_stage(static_cast<int>(previous_widths.size()),
                                       static_cast<int>(options.widths.size()), options.depths, kinds);
        fill_first(fragment, s, previous_widths, result);
        for (int kind = 0; kind < kinds && result.max_blocks() > 1; ++kind) {
            fill_further(fragment, s, kind, result);
        }
        return result;
    }

    // The options of first blocks include the stem before them, and the pool or the head after them: none of these has
    // another shape for another depth.
    void fill_first(const Fragment& fragment, std::size_t s, const std::vector<int>& previous_widths,
                    ChainStage& stage) {
        const std::vector<int>& widths = space_.stages[s].widths;
        const detail::LowerBlock lower_first = lower(fragment, 0);
        BlockOptions blocks(lower_first, InnerRule(base_, static_cast<int>(s)).grid(), layer_costs_);
        // The stem's widths are derived from the first stage's, so its first blocks are not as the widths alone say.
        const bool by_lowering = s == 0;
        std::vector<std::vector<int>> inner_widths;
        for (const int width : widths) {
            for (const int before : previous_widths) {
                inner_widths.push_back(space_.inner.options(s, 0, before, width));
                for (const int inner : inner_widths.back()) {
                    if (!by_lowering && keeps_skip(base_, s, before, width))
                        blocks.note({before, inner, width});
                }
            }
        }
        blocks.learn();
        auto inner_list = inner_widths.begin();
        for (int w = 0; w < stage.widths; ++w) {
            const int width = widths[static_cast<std::size_t>(w)];
            const BlockOption after = s + 1 == space_.stages.size() ? head(width) : nothing();
            for (int p = 0; p < stage.previous_widths; ++p, ++inner_list) {
                std::vector<BlockOption>& options = stage.first[stage.first_at(p, w)];
                options.clear();
                options.reserve(inner_list->size());
                for (const int inner : *inner_list) {
                    const int before = previous_widths[static_cast<std::size_t>(p)];
                    if (!keeps_skip(base_, s, before, width)) {
                        options.emplace_back();
                        continue;
                    }
                    const BlockWidths at{before, inner, width};
                    options.push_back(by_lowering ? detail::lowered_option(at, lower_first, layer_costs_)
                                                  : blocks.option(at));
                    detail::join(options.back(), after);
                }
            }
        }
    }

    void fill_further(const Fragment& fragment, std::size_t s, int kind, ChainStage& stage) {
        const std::vector<int>& widths = space_.stages[s].widths;
        const int block = kind + 1;
        BlockOptions blocks(lower(fragment, block), InnerRule(base_, static_cast<int>(s)).grid(),
                            layer_costs_);
        std::vector<std::vector<int>> inner_widths;
        for (const int width : widths) {
            inner_widths.push_back(space_.inner.options(s, block, 0, width));
            for (const int inner : inner_widths.back()) blocks.note({width, inner, width});
        }
        blocks.learn();
        for (int w = 0; w < stage.widths; ++w) {
            const int width = widths[static_cast<std::size_t>(w)];
            std::vector<BlockOption>& options = stage.further[stage.kind_at(w, kind)];
            options.clear();
            for (const int inner : inner_widths[static_cast<std::size_t>(w)]) {
                options.push_back(blocks.option({width, inner, width}));
            }
        }
    }

    // Of blocks after the first, the width before the stage is not looked at.
    detail::LowerBlock lower(const Fragment& fragment, int block) const {
        return [&fragment, block](const BlockWidths& widths) {
            Nodes nodes = fragment.nodes(widths.input, widths.width, block + 1, widths.inner);
            if (nodes) {
                std::erase_if(*nodes, [&](const FragmentNode& node) { return !belongs(node.node, block); });
            }
            return nodes;
        };
    }

    // A pool after the last block counts with the first.
    static bool belongs(const Node& node, int block) {
        const bool pool = node.layer.kind == LayerKind::max_pool;
        return block == 0 ? node.block == 0 || pool : node.block == block && !pool;
    }

    static BlockOption nothing() { return {0, 0, {}}; }

    BlockOption head(int width) const {
        const Fragment fragment = Fragment::of_head(base_, input_sizes_);
        return detail::lowered_option(
            {0, 0, width}, [&](const BlockWidths& widths) { return fragment.nodes(0, widths.width, 1); },
            layer_costs_);
    }

    const ModelSpec& base_;
    const ScalingSpace& space_;
    LayerCosts& layer_costs_;
    int resolution_;
    std::vector<detail::InputSize> input_sizes_;
};

void count_options(const ChainProblem& problem, CostCoverage& coverage) {
    for (const Chain& chain : problem.chains) {
        for (const ChainStage& stage : chain.stages) {
            for (const auto* lists : {&stage.first, &stage.further}) {
                for (const std::vector<BlockOption>& options : *lists) {
                    coverage.options += std::ssize(options);
                    coverage.infeasible_options +=
                        std::count_if(options.begin(), options.end(),
                                      [](const BlockOption& option) { return !option.feasible(); });
                }
            }
        }
    }
}

}  // namespace

StageCosts stage_costs(const ModelSpec& base, const ScalingSpace& space, const LatencySource& source,
                       const CostSettings& settings) {
    check(space, base);
    StageCosts result;
    LayerCosts layer_costs(source, settings, result.coverage);
    for (const int resolution : space.resolutions) {
        result.problem.chains.push_back(ChainAssembly(base, space, resolution, layer_costs).run());
    }
    count_options(result.problem, result.coverage);
    return result;
}

ScalingChoice choice_from(const ScalingSpace& space, const ChainChoice& indices) {
    ScalingChoice choice;
    choice.resolution = space.resolutions[static_cast<std::size_t>(indices.chain)];
    choice.inner_widths.resize(space.stages.size());
    bool all_follow = true;
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        const StageSpace& stage = space.stages[s];
        choice.widths.push_back(stage.widths[static_cast<std::size_t>(indices.widths[s])]);
        choice.depths.push_back(stage.depths[static_cast<std::size_t>(indices.depths[s])]);
        const auto takes_another = [&](int option) { return option != 0; };
        if (s >= indices.options.size() ||
            std::none_of(indices.options[s].begin(), indices.options[s].end(), takes_another)) {
            continue;
        }
        all_follow = false;
        const int before = s > 0 ? choice.widths[s - 1] : 0;
        for (int block = 0; block < choice.depths[s]; ++block) {
            const std::vector<int> options = space.inner.options(s, block, before, choice.widths[s]);
            choice.inner_widths[s].push_back(options[static_cast<std::size_t>(indices.option(s, block))]);
        }
    }
    if (all_follow) choice.inner_widths.clear();
    return choice;
}

}  // namespace hacscale
