#include "scaling/stage_costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "base/error.hpp"
#include "models/layer_cost.hpp"
#include "models/network.hpp"
#include "scaling/detail/fragment.hpp"

namespace hacscale {
namespace {

using detail::Fragment;
using detail::FragmentNode;

// Costs of single layers, each looked up once.
class LayerCosts {
public:
    LayerCosts(const LatencySource& source, const CostSettings& settings, CostCoverage& coverage)
        : source_(source), settings_(settings), coverage_(coverage) {}

    // Adds a layer to a way; the way becomes infeasible when the layer's latency is not known.
    void add(const FragmentNode& added, BlockWay& way) {
        const auto& [node, alive_elements] = added;
        const LayerCost cost = cost_of(node.layer, 1, DataType::f32);
        const auto bytes_each = static_cast<std::int64_t>(size_of(settings_.type));
        way.needs.add({node.learned_params, cost.macs, cost.params * bytes_each,
                       alive_elements * settings_.batch * bytes_each});
        if (settings_.model == CostModel::macs) {
            way.cost += cost.macs;
            return;
        }
        if (settings_.model == CostModel::params) {
            way.cost += node.learned_params;
            return;
        }
        const auto [entry, is_new] = known_.try_emplace(node.layer);
        if (is_new) entry->second = look_up(node.layer);
        const bool known = way.feasible() && entry->second.has_value();
        way.cost = known ? way.cost + *entry->second : infeasible_cost;
    }

private:
    std::optional<std::int64_t> look_up(const LayerSpec& layer) {
        const LatencyEstimate estimate = source_.estimate(layer);
        ++coverage_.distinct_layers;
        if (estimate.kind == EstimateKind::interpolated) ++coverage_.interpolated_layers;
        if (estimate.kind != EstimateKind::missing) return picoseconds(estimate.latency_us);
        if (coverage_.missing_layers++ == 0) coverage_.first_missing = layer.key();
        return std::nullopt;
    }

    const LatencySource& source_;
    const CostSettings& settings_;
    CostCoverage& coverage_;
    std::unordered_map<LayerSpec, std::optional<std::int64_t>, LayerSpecHash> known_;
};

// The cost tables of the whole network at one resolution.
class ChainAssembly {
public:
    ChainAssembly(const ModelSpec& base, const ScalingSpace& space, int resolution, LayerCosts& layer_costs)
        : base_(base),
          space_(space),
          layer_costs_(layer_costs),
          resolution_(resolution),
          input_resolutions_(detail::stage_input_resolutions(base, resolution)) {}

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
        const Fragment fragment = Fragment::of_stage(base_, s, resolution_, input_resolutions_);
        // Blocks after the first are alike but for the inner widths that they follow: one kind for each of
        // the base's, the last of which repeats.
        const int kinds = std::max(1, base_.stages[s].depth - 1);
        ChainStage result = make_stage(static_cast<int>(previous_widths.size()),
                                       static_cast<int>(options.widths.size()), options.depths, kinds);
        for (int w = 0; w < result.widths; ++w) {
            const int width = options.widths[static_cast<std::size_t>(w)];
            const Nodes after = s + 1 == space_.stages.size() ? head(width) : Nodes(std::in_place);
            for (int p = 0; p < result.previous_widths; ++p)
                result.first[result.first_at(p, w)] =
                    ways(fragment, s, 0, previous_widths[static_cast<std::size_t>(p)], width, after);
            for (int kind = 0; kind < kinds && result.most_blocks() > 1; ++kind) {
                result.further[result.kind_at(w, kind)] =
                    ways(fragment, s, kind + 1, base_width_before(s), width, Nodes(std::in_place));
            }
        }
        return result;
    }

    // The ways of one block, each with what stands before it, if that is the stem, and after it, if that is a
    // pool or the head: none of these has another shape for another depth.
    std::vector<BlockWay> ways(const Fragment& fragment, std::size_t s, int block, int width_before,
                               int width, const Nodes& after) {
        std::vector<BlockWay> result;
        for (const int inner : space_.inner.options(s, block, width_before, width)) {
            BlockWay& way = result.emplace_back();
            const Nodes nodes = fragment.nodes(width_before, width, block + 1, inner);
            if (!nodes || !after) continue;
            way.cost = 0;
            for (const FragmentNode& node : *nodes) {
                if (belongs(node.node, block)) layer_costs_.add(node, way);
            }
            for (const FragmentNode& node : *after) layer_costs_.add(node, way);
        }
        return result;
    }

    // A pool after the last block counts with the first.
    static bool belongs(const NetworkNode& node, int block) {
        const bool pool = node.layer.kind == LayerKind::max_pool;
        return block == 0 ? node.block == 0 || pool : node.block == block && !pool;
    }

    int base_width_before(std::size_t s) const { return s > 0 ? base_.stages[s - 1].width : 0; }

    Nodes head(int width) const { return Fragment::of_head(base_, input_resolutions_).nodes(0, width, 1); }

    const ModelSpec& base_;
    const ScalingSpace& space_;
    LayerCosts& layer_costs_;
    int resolution_;
    std::vector<int> input_resolutions_;
};

void count_options(const ChainProblem& problem, CostCoverage& coverage) {
    for (const Chain& chain : problem.chains) {
        for (const ChainStage& stage : chain.stages) {
            for (const auto* lists : {&stage.first, &stage.further}) {
                for (const std::vector<BlockWay>& ways : *lists) {
                    coverage.options += std::ssize(ways);
                    coverage.infeasible_options += std::count_if(
                        ways.begin(), ways.end(), [](const BlockWay& way) { return !way.feasible(); });
                }
            }
        }
    }
}

}  // namespace

std::int64_t picoseconds(double latency_us) {
    // A layer that takes over an hour is a fault of the table, and its sums would leave the exact range.
    if (!(latency_us >= 0.0 && latency_us < 3.6e9)) {
        throw InputError(fmt::format("a latency of {} us is not possible; check the table", latency_us));
    }
    return std::llround(latency_us * picoseconds_per_us);
}

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
        const auto takes_another = [&](int way) { return way != 0; };
        if (s >= indices.ways.size() ||
            std::none_of(indices.ways[s].begin(), indices.ways[s].end(), takes_another))
            continue;
        all_follow = false;
        const int before = s > 0 ? choice.widths[s - 1] : 0;
        for (int block = 0; block < choice.depths[s]; ++block) {
            const std::vector<int> options = space.inner.options(s, block, before, choice.widths[s]);
            choice.inner_widths[s].push_back(options[static_cast<std::size_t>(indices.way(s, block))]);
        }
    }
    if (all_follow) choice.inner_widths.clear();
    return choice;
}

}  // namespace hacscale
