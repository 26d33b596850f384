#include "scaling/context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "models/network.hpp"

namespace hacscale {
namespace {

void check(const ScalingSettings& settings) {
    if (!(settings.max_budget >= 1.0 && settings.max_budget <= 100.0)) {
        throw InputError(
            fmt::format("the largest budget is {}, expected 1 to 100 base latencies", settings.max_budget));
    }
    const auto check_cap = [](const std::optional<std::int64_t>& cap, const char* what) {
        if (cap && *cap < 1)
            throw InputError(fmt::format("the cap on {} is {}, expected at least 1", what, *cap));
    };
    check_cap(settings.caps.params, "params");
    check_cap(settings.caps.macs, "MACs");
    check_cap(settings.caps.memory_bytes, "memory");
}

// No choice of the chain costs more than this.
std::int64_t most_cost(const Chain& chain) {
    const auto most_of = [](const std::vector<std::vector<BlockWay>>& lists) {
        std::int64_t most = 0;
        for (const std::vector<BlockWay>& ways : lists) {
            for (const BlockWay& way : ways) most = way.feasible() ? std::max(most, way.cost) : most;
        }
        return most;
    };
    std::int64_t sum = chain.cost_offset;
    for (const ChainStage& stage : chain.stages)
        sum += most_of(stage.first) + (stage.most_blocks() - 1) * most_of(stage.further);
    return sum;
}

}  // namespace

ScalingContext::ScalingContext(ModelSpec base, const LatencySource& source, const ScalingSettings& settings,
                               Gain gain)
    : base_(std::move(base)),
      source_(source),
      settings_(settings),
      space_(make_space(base_, settings.space)),
      gain_(std::move(gain)) {
    check(settings_);
    if (gain_.base != choice_of(base_)) {
        throw InputError(
            fmt::format("the gain is of another model than {}; make it for this one", base_.name));
    }
    if (!gain_.resolution && space_.resolutions.size() > 1) {
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
    std::optional<Network> network;
    try {
        network = lower(scaled(base_, choice));
    } catch (const InputError&) {
        return std::nullopt;
    }
    Evaluation result;
    result.choice = choice;
    if (gain_.resolution || choice.resolution == base_.resolution) result.gain = gain_.of(choice);
    result.needs = {network->params(), network->macs(), network->weight_bytes(settings_.type),
                    network->peak_activation_bytes(settings_.batch, settings_.type)};
    for (const NetworkNode& node : network->nodes) {
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

const StageCosts& ScalingContext::costs(CostModel cost) const {
    const auto known = costs_.find(cost);
    if (known != costs_.end()) return known->second;
    return costs_.emplace(cost, stage_costs(base_, space_, source_, {cost, settings_.batch, settings_.type}))
        .first->second;
}

const ParetoFront& ScalingContext::front(CostModel cost, GainWeights weights) const {
    const auto known = fronts_.find({cost, weights});
    if (known != fronts_.end()) return known->second;
    ChainProblem problem = costs(cost).problem;
    set_gains(problem, space_, weights == GainWeights::given ? gain_ : equal_gain(base_));
    FrontLimits limits;
    limits.epsilon = settings_.epsilon;
    limits.caps = settings_.caps;
    if (cost == CostModel::latency) {
        const double most = settings_.max_budget * static_cast<double>(base_evaluation_.latency_ps);
        limits.max_cost = static_cast<std::int64_t>(std::ceil(most)) + budget_slack_ps;
    } else {
        for (const Chain& chain : problem.chains)
            limits.max_cost = std::max(limits.max_cost, most_cost(chain));
    }
    return fronts_.emplace(std::make_pair(cost, weights), pareto_front(problem, limits)).first->second;
}

}  // namespace hacscale
