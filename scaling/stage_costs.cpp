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

struct Cost {
    std::int64_t cost = 0;
    std::int64_t params = 0;
    bool feasible = true;

    void add(const Cost& other) {
        cost += other.cost;
        params += other.params;
        feasible = feasible && other.feasible;
    }
};

// Costs of single layers, each looked up once.
class LayerCosts {
public:
    LayerCosts(const LatencySource& source, CostModel model, CostCoverage& coverage)
        : source_(source), model_(model), coverage_(coverage) {}

    Cost operator()(const NetworkNode& node) {
        if (model_ == CostModel::macs)
            return {cost_of(node.layer, 1, DataType::f32).macs, node.learned_params, true};
        const auto [entry, is_new] = known_.try_emplace(node.layer);
        if (is_new) entry->second = look_up(node.layer);
        return {entry->second.value_or(0), node.learned_params, entry->second.has_value()};
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
    CostModel model_;
    CostCoverage& coverage_;
    std::unordered_map<LayerSpec, std::optional<std::int64_t>, LayerSpecHash> known_;
};

// The cost tables of the whole network at one resolution.
class ChainAssembly {
public:
    ChainAssembly(const ModelSpec& base, const ScalingSpace& space, int resolution, LayerCosts& layer_cost)
        : base_(base),
          space_(space),
          layer_cost_(layer_cost),
          resolution_(resolution),
          input_resolutions_(detail::stage_input_resolutions(base, resolution)) {}

    Chain run() {
        Chain chain;
        for (std::size_t s = 0; s < space_.stages.size(); ++s) chain.stages.push_back(stage(s));
        return chain;
    }

private:
    ChainStage stage(std::size_t s) {
        const StageSpace& options = space_.stages[s];
        const bool is_last = s + 1 == space_.stages.size();
        const std::vector<int> previous_widths = s > 0 ? space_.stages[s - 1].widths : std::vector<int>{0};
        const Fragment fragment = Fragment::of_stage(base_, s, resolution_, input_resolutions_);
        ChainStage result =
            make_stage(static_cast<int>(previous_widths.size()), static_cast<int>(options.widths.size()),
                       static_cast<int>(options.depths.size()));
        for (int w = 0; w < result.widths; ++w) {
            const int width = options.widths[static_cast<std::size_t>(w)];
            const Cost after = is_last ? head(width) : Cost{};
            for (int p = 0; p < result.previous_widths; ++p) {
                Cost cost = entry(fragment, previous_widths[static_cast<std::size_t>(p)], width);
                cost.add(after);
                set(result.entry_cost, result.entry_params, result.entry(p, w), cost);
            }
            const std::vector<Cost> bodies = blocks_after_first(s, fragment, width, options.depths);
            for (int d = 0; d < result.depths; ++d) {
                set(result.body_cost, result.body_params, result.body(w, d),
                    bodies[static_cast<std::size_t>(d)]);
            }
        }
        return result;
    }

    static void set(std::vector<std::int64_t>& costs, std::vector<std::int64_t>& params, std::size_t at,
                    const Cost& cost) {
        costs[at] = cost.feasible ? cost.cost : infeasible_cost;
        params[at] = cost.params;
    }

    // The first block, with what stands before it in the first stage (the stem) and after the last block (a
    // pool, whose shape no depth changes).
    Cost entry(const Fragment& fragment, int previous_width, int width) {
        return sum_of(fragment.nodes(previous_width, width, 1));
    }

    Cost head(int width) { return sum_of(Fragment::of_head(base_, input_resolutions_).nodes(0, width, 1)); }

    Cost sum_of(const std::optional<std::vector<NetworkNode>>& nodes) {
        if (!nodes) return {0, 0, false};
        Cost sum;
        for (const NetworkNode& node : *nodes) sum.add(layer_cost_(node));
        return sum;
    }

    // For each depth, the blocks after the first. Their shapes do not depend on the width before the stage,
    // nor on how many follow.
    std::vector<Cost> blocks_after_first(std::size_t s, const Fragment& fragment, int width,
                                         const std::vector<int>& depths) {
        const int previous_width = s > 0 ? base_.stages[s - 1].width : 0;
        const auto nodes = fragment.nodes(previous_width, width, depths.back());
        if (!nodes) return std::vector<Cost>(depths.size(), Cost{0, 0, false});
        std::vector<Cost> blocks(static_cast<std::size_t>(depths.back()));
        for (const NetworkNode& node : *nodes) {
            const bool counted_in_entry = node.block == 0 || node.layer.kind == LayerKind::max_pool;
            if (!counted_in_entry) blocks[static_cast<std::size_t>(node.block)].add(layer_cost_(node));
        }
        std::vector<Cost> sums;
        Cost sum;
        std::size_t added = 1;
        for (const int depth : depths) {
            for (; added < static_cast<std::size_t>(depth); ++added) sum.add(blocks[added]);
            sums.push_back(sum);
        }
        return sums;
    }

    const ModelSpec& base_;
    const ScalingSpace& space_;
    LayerCosts& layer_cost_;
    int resolution_;
    std::vector<int> input_resolutions_;
};

void count_options(const ChainProblem& problem, CostCoverage& coverage) {
    for (const Chain& chain : problem.chains) {
        for (const ChainStage& stage : chain.stages) {
            for (const auto* costs : {&stage.entry_cost, &stage.body_cost}) {
                coverage.options += std::ssize(*costs);
                coverage.infeasible_options += std::count(costs->begin(), costs->end(), infeasible_cost);
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
                       CostModel model) {
    check(space, base);
    StageCosts result;
    LayerCosts layer_cost(source, model, result.coverage);
    for (const int resolution : space.resolutions) {
        result.problem.chains.push_back(ChainAssembly(base, space, resolution, layer_cost).run());
    }
    count_options(result.problem, result.coverage);
    return result;
}

ScalingChoice choice_from(const ScalingSpace& space, const ChainChoice& indices) {
    ScalingChoice choice;
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        choice.widths.push_back(space.stages[s].widths[static_cast<std::size_t>(indices.widths[s])]);
        choice.depths.push_back(space.stages[s].depths[static_cast<std::size_t>(indices.depths[s])]);
    }
    choice.resolution = space.resolutions[static_cast<std::size_t>(indices.chain)];
    return choice;
}

}  // namespace hacscale
