#include "scaling/graph_context.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"

namespace hacscale {
namespace {

// The base's values alone.
void hold(std::vector<std::vector<int>>& values, const std::vector<int>& base) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = {base[i]};
}

// Takes what `known`, of the same space, cannot tell the cost of out of `problem`.
void leave_out_unknown(GraphProblem& problem, const GraphProblem& known) {
    for (std::size_t t = 0; t < known.tables.size(); ++t) {
        for (std::size_t i = 0; i < known.tables[t].size(); ++i) {
            if (!known.tables[t][i].feasible()) problem.tables[t][i].cost = infeasible_cost;
        }
    }
}

}  // namespace

GraphContext::GraphContext(Network base, const LatencySource& source, const ScalingSettings& settings,
                           GraphSpaceSettings space, GainOrigin gain)
    : ScalingContext(settings), base_(std::move(base)), source_(source), origin_(gain) {
    if (settings.caps.memory_bytes) {
        throw InputError(
            fmt::format("{} is no model with stages, of which alone memory can be capped; cap params or MACs "
                        "instead",
                        base_.name));
    }
    if (!settings.space.resolutions.empty()) {
        throw InputError(fmt::format(
            "{} is no model with stages, and has one resolution; leave other resolutions out", base_.name));
    }
    const SpaceSettings& ranges = ScalingContext::settings().space;  // with the ratios that were not given
    space.grid = ranges.grid;
    space.min_width_ratio = *ranges.min_width_ratio;
    space.max_width_ratio = *ranges.max_width_ratio;
    space.min_depth_ratio = *ranges.min_depth_ratio;
    space.max_depth_ratio = *ranges.max_depth_ratio;
    const GraphSpace whole = make_graph_space(base_.graph, space);
    const GraphChoice unchanged = choice_of(whole.groups, whole.repeats);
    for (std::size_t r = 0; r < whole.repeats.size(); ++r) {
        if (whole.depths[r].size() > 1) open_repeats_.push_back(r);
    }
    for (const SearchDimensions dimensions :
         {SearchDimensions::all, SearchDimensions::widths, SearchDimensions::depths}) {
        GraphSpace graph = whole;
        if (dimensions == SearchDimensions::widths) hold(graph.depths, unchanged.depths);
        if (dimensions == SearchDimensions::depths) hold(graph.widths, unchanged.widths);
        ChoiceSpace choices = choices_of(graph);
        spaces_.emplace(dimensions, Space{std::move(graph), std::move(choices)});
    }
    coefficients_ = capacity_coefficients(base_.graph, whole);
    gain_ = graph_gain(base_.graph, whole, coefficients_, origin_);
    set_base(*GraphContext::evaluate(scaling_choice(unchanged)));
}

ChoiceSpace GraphContext::choices_of(const GraphSpace& space) const {
    ChoiceSpace choices;
    for (std::size_t g = 0; g < space.groups.size(); ++g) {
        const ChannelGroup& group = space.groups[g];
        const bool frozen = space.widths[g].size() == 1;
        choices.widths.push_back(
            {group.name, space.widths[g], std::lcm(settings().space.grid, group.multiple), frozen, g});
    }
    for (const std::size_t r : open_repeats_) {
        choices.depths.push_back({space.repeats[r].name, space.depths[r]});
    }
    choices.resolutions = {base_.graph.tensors[static_cast<std::size_t>(base_.graph.inputs.front())].height};
    choices.resolution_step = 0;
    return choices;
}

const GraphSpace& GraphContext::graph_space(SearchDimensions dimensions) const {
    return spaces_.at(dimensions).graph;
}

const ChoiceSpace& GraphContext::space(SearchDimensions dimensions) const {
    return spaces_.at(dimensions).choices;
}

GraphChoice GraphContext::graph_choice(const ScalingChoice& choice) const {
    const GraphSpace& space = graph_space();
    if (choice.widths.size() != space.groups.size() || choice.depths.size() != open_repeats_.size()) {
        throw InputError(fmt::format("a choice of {} widths and {} depths, {} has {} and {}",
                                     choice.widths.size(), choice.depths.size(), base_.name,
                                     space.groups.size(), open_repeats_.size()));
    }
    GraphChoice result = choice_of(space.groups, space.repeats);
    result.widths = choice.widths;
    for (std::size_t i = 0; i < open_repeats_.size(); ++i) result.depths[open_repeats_[i]] = choice.depths[i];
    return result;
}

ScalingChoice GraphContext::scaling_choice(const GraphChoice& choice) const {
    ScalingChoice result;
    result.widths = choice.widths;
    for (const std::size_t r : open_repeats_) result.depths.push_back(choice.depths[r]);
    result.resolution = space().resolutions.front();
    return result;
}

std::optional<Evaluation> GraphContext::evaluate(const ScalingChoice& choice) const {
    if (choice.resolution != space().resolutions.front()) return std::nullopt;
    const GraphSpace& space = graph_space();
    std::optional<Graph> network;
    const GraphChoice values = graph_choice(choice);
    try {
        network = scaled(base_.graph, space.groups, space.repeats, values).graph;
    } catch (const InputError&) {
        return std::nullopt;
    }
    Evaluation result = evaluation_of(*network, source_, settings());
    result.choice = choice;
    result.gain = gain_.of(space, values);
    return result;
}

Network GraphContext::network(const ScalingChoice& choice) const {
    const GraphSpace& space = graph_space();
    Network network;
    network.name = base_.name;
    network.graph = scaled(base_.graph, space.groups, space.repeats, graph_choice(choice)).graph;
    network.input_names = base_.input_names;
    network.output_names = base_.output_names;
    network.vector_outputs = base_.vector_outputs;
    return network;
}

std::optional<double> GraphContext::latency_around_us(std::size_t width, int value) const {
    const ChannelGroup& group = graph_space().groups[width];
    double sum = 0.0;
    try {
        const Graph network = widened(base_.graph, group, value);
        std::set<int> nodes(group.producers.begin(), group.producers.end());
        nodes.insert(group.readers.begin(), group.readers.end());
        for (const int node : nodes) {
            const LatencyEstimate estimate =
                source_.estimate(network.nodes[static_cast<std::size_t>(node)].layer);
            if (estimate.kind == EstimateKind::missing) return std::nullopt;
            sum += estimate.latency_us;
        }
    } catch (const InputError&) {
        return std::nullopt;
    }
    return sum;
}

double GraphContext::epsilon() const {
    return settings().epsilon.value_or(open_inner_epsilon);
}

double GraphContext::gain_gap(std::int64_t latency_ps) const {
    const GraphFront& plan = front({});
    const std::optional<std::size_t> best = plan.best_within(latency_ps);
    if (plan.exact || !best) return 0.0;
    const double more = *plan.max_gain(latency_ps) - static_cast<double>(plan.gains[*best]);
    return std::max(0.0, more) / gain_quanta_per_unit;
}

const GraphCosts& GraphContext::costs(CostModel cost, SearchDimensions dimensions) const {
    const auto known = costs_.find({cost, dimensions});
    if (known != costs_.end()) return known->second;
    GraphCosts made =
        graph_costs(base_.graph, graph_space(dimensions), source_, {cost, settings().batch, settings().type});
    return costs_.emplace(std::make_pair(cost, dimensions), std::move(made)).first->second;
}

GraphCosts GraphContext::with_gains(const PlanKind& kind) const {
    GraphCosts priced = costs(kind.cost, kind.dimensions);
    if (kind.cost != CostModel::latency) {
        leave_out_unknown(priced.problem, costs(CostModel::latency, kind.dimensions).problem);
    }
    const GraphSpace& whole = graph_space();
    add_gains(priced, graph_space(kind.dimensions),
              kind.weights == GainWeights::given
                  ? gain_
                  : graph_gain(base_.graph, whole, equal_coefficients(coefficients_, whole), origin_));
    return priced;
}

const GraphFront& GraphContext::front(const PlanKind& kind) const {
    const auto known = fronts_.find(kind);
    if (known != fronts_.end()) return known->second;
    FrontLimits limits = latency_limits();
    if (kind.cost != CostModel::latency) limits.max_cost = std::int64_t{1} << 52;
    return fronts_.emplace(kind, graph_front(with_gains(kind).problem, limits)).first->second;
}

ScalingChoice GraphContext::choice_at(const PlanKind& kind, std::size_t point) const {
    return scaling_choice(choice_from(graph_space(kind.dimensions), front(kind).choices[point]));
}

std::int64_t GraphContext::latency_ps_at(const PlanKind& kind, std::size_t point) const {
    const GraphFront& plan = front(kind);
    if (kind.cost == CostModel::latency) return plan.costs[point];
    return totals_of(costs(CostModel::latency, kind.dimensions).problem, plan.choices[point])->cost;
}

std::optional<std::int64_t> GraphContext::min_usage(Resource resource, std::int64_t max_latency_ps) const {
    return hacscale::min_usage(costs(CostModel::latency).problem, max_latency_ps, resource);
}

std::optional<std::int64_t> GraphContext::min_latency_ps(SearchDimensions dimensions) const {
    return min_cost(costs(CostModel::latency, dimensions).problem, settings().caps);
}

// A network is looked up as its factors.
std::int64_t GraphContext::lookups() const {
    const GraphCosts& made = costs(CostModel::latency);
    return made.coverage.options / std::max<std::int64_t>(1, std::ssize(made.problem.factors));
}

}  // namespace hacscale
