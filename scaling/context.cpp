#include "scaling/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

void check(const ScalingSettings& settings) {
    if (!(settings.max_budget >= 1.0 && settings.max_budget <= 100.0)) {
        throw InputError(
            fmt::format("the largest budget is {}, expected 1 to 100 base latencies", settings.max_budget));
    }
    const auto check_cap = [](const std::optional<std::int64_t>& cap, const char* what) {
        if (cap && *cap < 1) {
            throw InputError(fmt::format("the cap on {} is {}, expected at least 1", what, *cap));
        }
    };
    check_cap(settings.caps.params, "params");
    check_cap(settings.caps.macs, "MACs");
    check_cap(settings.caps.memory_bytes, "memory");
}

// No choice of the chain costs more than this.
std::int64_t max_cost_of(const Chain& chain) {
    const auto max_of = [](const std::vector<std::vector<BlockOption>>& lists) {
        std::int64_t most = 0;
        for (const std::vector<BlockOption>& options : lists) {
            for (const BlockOption& option : options)
                most = option.feasible() ? std::max(most, option.cost) : most;
        }
        return most;
    };
    std::int64_t sum = chain.cost_offset;
    for (const ChainStage& stage : chain.stages) {
        sum += max_of(stage.first) + (stage.max_blocks() - 1) * max_of(stage.further);
    }
    return sum;
}

// Takes the options out of `problem` that `known`, of the same space, cannot tell the cost of.
void leave_out_unknown(ChainProblem& problem, const ChainProblem& known) {
    const auto leave_out = [](auto& lists, const auto& known_lists) {
        for (std::size_t list = 0; list < lists.size(); ++list) {
            for (std::size_t option = 0; option < lists[list].size(); ++option) {
                if (!known_lists[list][option].feasible()) lists[list][option].cost = infeasible_cost;
            }
        }
    };
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        for (std::size_t s = 0; s < problem.chains[c].stages.size(); ++s) {
            ChainStage& stage = problem.chains[c].stages[s];
            const ChainStage& known_stage = known.chains[c].stages[s];
            leave_out(stage.first, known_stage.first);
            leave_out(stage.further, known_stage.further);
        }
    }
}

}  // namespace

ScalingContext::ScalingContext(ModelSpec base, const LatencySource& source, const ScalingSettings& settings,
                               Gain gain)
    : base_(std::move(base)), source_(source), settings_(settings), gain_(std::move(gain)) {
    check(settings_);
    const ScalingSpace whole = make_space(base_, settings.space);
    for (const SearchDimensions dimensions :
         {SearchDimensions::all, SearchDimensions::widths, SearchDimensions::depths}) {
        spaces_.emplace(dimensions, restricted(whole, base_, dimensions));
    }
    if (gain_.base != choice_of(base_)) {
        throw InputError(
            fmt::format("the gain is of another model than {}; make it for this one", base_.name));
    }
    if (!gain_.resolution && space().resolutions.size() > 1) {
        throw InputError(
            "what resolution is worth is not known; leave other resolutions out, or give its coefficient in "
            "the sensitivity file");
    }
    base_evaluation_ = *evaluate(choice_of(base_));
    if (!base_evaluation_.complete()) {
        throw InputError(
            fmt::format("the table lacks {} of the layers of {}, {} among them; profile it first",
                        base_evaluation_.missing_layers, base_.name, base_evaluation_.first_missing));
    }
}

double ScalingContext::budget_us(double ratio) const {
    if (!(ratio >= 1.0)) {
        throw InputError(fmt::format("the latency budget is {}, expected at least 1 base latency", ratio));
    }
    if (ratio > settings_.max_budget) {
        throw InputError(fmt::format("the latency budget is {}, above the largest planned for, {}", ratio,
                                     settings_.max_budget));
    }
    return ratio * base_evaluation_.latency_us();
}

std::optional<Evaluation> ScalingContext::evaluate(const ScalingChoice& choice) const {
    if (!keeps_skips(base_, choice.widths)) return std::nullopt;
    std::optional<Graph> network;
    try {
        network = lower(scaled(base_, choice));
    } catch (const InputError&) {
        return std::nullopt;
    }
    Evaluation result;
    result.choice = choice;
    if (gain_.resolution || choice.resolution == base_.resolution) result.gain = gain_.of(choice);
    result.usage = {network->params(), network->macs(), network->weight_bytes(settings_.type),
                    network->peak_activation_bytes(settings_.batch, settings_.type)};
    for (const Node& node : network->nodes) {
        const LatencyEstimate estimate = source_.estimate(node.layer);
        if (estimate.kind == EstimateKind::missing) {
            if (result.missing_layers++ == 0) result.first_missing = node.layer.key();
            continue;
        }
        result.interpolated_layers += estimate.kind == EstimateKind::interpolated ? 1 : 0;
        result.latency_ps += picoseconds(estimate.latency_us);
    }
    return result;
}

double ScalingContext::epsilon() const {
    return settings_.epsilon.value_or(space().inner.is_open() ? open_inner_epsilon : 0.0);
}

const ScalingSpace& ScalingContext::space(SearchDimensions dimensions) const {
    return spaces_.at(dimensions);
}

const StageCosts& ScalingContext::costs(CostModel cost, SearchDimensions dimensions) const {
    const auto known = costs_.find({cost, dimensions});
    if (known != costs_.end()) return known->second;
    StageCosts made = stage_costs(base_, space(dimensions), source_, {cost, settings_.batch, settings_.type});
    return costs_.emplace(std::make_pair(cost, dimensions), std::move(made)).first->second;
}

const ParetoFront& ScalingContext::front(const PlanKind& kind) const {
    const auto known = fronts_.find(kind);
    if (known != fronts_.end()) return known->second;
    ChainProblem problem = costs(kind.cost, kind.dimensions).problem;
    set_gains(problem, space(kind.dimensions),
              kind.weights == GainWeights::given ? gain_ : equal_gain(base_));
    FrontLimits limits;
    limits.epsilon = epsilon();
    limits.caps = settings_.caps;
    if (kind.cost == CostModel::latency) {
        const double most = settings_.max_budget * static_cast<double>(base_evaluation_.latency_ps);
        limits.max_cost = static_cast<std::int64_t>(std::ceil(most)) + budget_slack_ps;
    } else {
        leave_out_unknown(problem, costs(CostModel::latency, kind.dimensions).problem);
        for (const Chain& chain : problem.chains) {
            limits.max_cost = std::max(limits.max_cost, max_cost_of(chain));
        }
    }
    return fronts_.emplace(kind, pareto_front(problem, limits)).first->second;
}

}  // namespace hacscale
