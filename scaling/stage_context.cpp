#include "scaling/stage_context.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

// No choice of the problem costs more than this.
std::int64_t max_cost_of(const ChainProblem& problem) {
    const auto max_of = [](const std::vector<std::vector<BlockOption>>& lists) {
        std::int64_t most = 0;
        for (const std::vector<BlockOption>& options : lists) {
            for (const BlockOption& option : options)
                most = option.feasible() ? std::max(most, option.cost) : most;
        }
        return most;
    };
    std::int64_t most = 0;
    for (const Chain& chain : problem.chains) {
        std::int64_t sum = chain.cost_offset;
        for (const ChainStage& stage : chain.stages) {
            sum += max_of(stage.first) + (stage.max_blocks() - 1) * max_of(stage.further);
        }
        most = std::max(most, sum);
    }
    return most;
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

// The same as strategies read it.
ChoiceSpace choices_of(const ModelSpec& base, const ScalingSpace& space, int grid) {
    const std::vector<bool> given = given_widths(base);
    const std::vector<std::string> names = stage_names(base);
    ChoiceSpace choices;
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        const StageSpace& stage = space.stages[s];
        const std::size_t leader = stage.tied_to_before ? choices.widths.back().leader : s;
        choices.widths.push_back({names[s], stage.widths, grid, given[s], leader});
        choices.depths.push_back({names[s], stage.depths});
    }
    choices.resolutions = space.resolutions;
    choices.resolution_step = resolution_step(base);
    return choices;
}

}  // namespace

StageContext::StageContext(ModelSpec base, const LatencySource& source, const ScalingSettings& settings,
                           Gain gain)
    : ScalingContext(settings), base_(std::move(base)), source_(source), gain_(std::move(gain)) {
    const ScalingSpace whole = make_space(base_, ScalingContext::settings().space);
    for (const SearchDimensions dimensions :
         {SearchDimensions::all, SearchDimensions::widths, SearchDimensions::depths}) {
        ScalingSpace stages = restricted(whole, base_, dimensions);
        ChoiceSpace choices = choices_of(base_, stages, settings.space.grid);
        spaces_.emplace(dimensions, Space{std::move(stages), std::move(choices)});
    }
    if (gain_.base != choice_of(base_)) {
        throw InputError(
            fmt::format("the gain is of another model than {}; make it for this one", base_.name));
    }
    if (!gain_.resolution && stage_space().resolutions.size() > 1) {
        throw InputError(
            "what resolution is worth is not known; leave other resolutions out, or give its coefficient in "
            "the sensitivity file");
    }
    set_base(*StageContext::evaluate(choice_of(base_)));
}

std::optional<Evaluation> StageContext::evaluate(const ScalingChoice& choice) const {
    if (!keeps_skips(base_, choice.widths)) return std::nullopt;
    std::optional<Graph> network;
    try {
        network = lower(scaled(base_, choice));
    } catch (const InputError&) {
        return std::nullopt;
    }
    Evaluation result = evaluation_of(*network, source_, settings());
    result.choice = choice;
    if (gain_.resolution || choice.resolution == base_.resolution) result.gain = gain_.of(choice);
    return result;
}

Network StageContext::network(const ScalingChoice& choice) const {
    return network_of(scaled(base_, choice));
}

std::string StageContext::model_text(const ScalingChoice& choice) const {
    return to_yaml(scaled(base_, choice));
}

std::optional<double> StageContext::latency_around_us(std::size_t width, int value) const {
    const StageView& view = views_.try_emplace(width, base_, static_cast<int>(width)).first->second;
    try {
        const StaircasePoint point = view.at(value, source_);
        return point.estimate == EstimateKind::missing ? std::nullopt : std::optional(point.latency_us);
    } catch (const InputError&) {
        return std::nullopt;
    }
}

double StageContext::epsilon() const {
    return settings().epsilon.value_or(stage_space().inner.is_open() ? open_inner_epsilon : 0.0);
}

const ScalingSpace& StageContext::stage_space(SearchDimensions dimensions) const {
    return spaces_.at(dimensions).stages;
}

const ChoiceSpace& StageContext::space(SearchDimensions dimensions) const {
    return spaces_.at(dimensions).choices;
}

const StageCosts& StageContext::costs(CostModel cost, SearchDimensions dimensions) const {
    const auto known = costs_.find({cost, dimensions});
    if (known != costs_.end()) return known->second;
    StageCosts made =
        stage_costs(base_, stage_space(dimensions), source_, {cost, settings().batch, settings().type});
    return costs_.emplace(std::make_pair(cost, dimensions), std::move(made)).first->second;
}

const ParetoFront& StageContext::front(const PlanKind& kind) const {
    const auto known = fronts_.find(kind);
    if (known != fronts_.end()) return known->second;
    ChainProblem problem = costs(kind.cost, kind.dimensions).problem;
    set_gains(problem, stage_space(kind.dimensions),
              kind.weights == GainWeights::given ? gain_ : equal_weights_of(gain_));
    FrontLimits limits = latency_limits();
    if (kind.cost != CostModel::latency) {
        leave_out_unknown(problem, costs(CostModel::latency, kind.dimensions).problem);
        limits.max_cost = max_cost_of(problem);
    }
    return fronts_.emplace(kind, pareto_front(problem, limits)).first->second;
}

ScalingChoice StageContext::choice_at(const PlanKind& kind, std::size_t point) const {
    return choice_from(stage_space(kind.dimensions), front(kind).choice(point));
}

std::int64_t StageContext::latency_ps_at(const PlanKind& kind, std::size_t point) const {
    const ParetoFront& plan = front(kind);
    if (kind.cost == CostModel::latency) return plan.costs[point];
    return totals_of(costs(CostModel::latency, kind.dimensions).problem, plan.choice(point))->cost;
}

std::optional<std::int64_t> StageContext::min_usage(Resource resource, std::int64_t max_latency_ps) const {
    return hacscale::min_usage(costs(CostModel::latency).problem, max_latency_ps, resource);
}

// The cheapest network is all that is left of a front on which nothing gains.
std::optional<std::int64_t> StageContext::min_latency_ps(SearchDimensions dimensions) const {
    const ChainProblem& problem = costs(CostModel::latency, dimensions).problem;
    FrontLimits limits;
    limits.caps = settings().caps;
    limits.max_cost = max_cost_of(problem);
    const ParetoFront cheapest = pareto_front(problem, limits);
    return cheapest.size() > 0 ? std::optional(cheapest.costs.front()) : std::nullopt;
}

// A network is looked up as an entry and a body a stage.
std::int64_t StageContext::lookups() const {
    return costs(CostModel::latency).coverage.options / (2 * std::ssize(base_.stages));
}

}  // namespace hacscale
