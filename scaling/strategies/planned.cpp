#include "scaling/strategies/families.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace hacscale::rules {
namespace {

// Which caps cannot be kept, and the least that a network within the latency budget uses.
std::string why_caps_are_broken(const ScalingContext& context, std::int64_t budget_ps) {
    const Caps& caps = context.settings().caps;
    std::string broken;
    std::string kept_alone;
    const auto compare = [&](const std::optional<std::int64_t>& cap, Resource resource, const char* what) {
        if (!cap) return;
        const std::optional<std::int64_t> min = context.min_usage(resource, budget_ps + budget_slack_ps);
        if (!min) return;
        std::string& text = *min > *cap ? broken : kept_alone;
        text += fmt::format("{}the cap on {} is {}, and the least possible within the latency budget is {}",
                            text.empty() ? "" : "; ", what, *cap, *min);
    };
    compare(caps.params, Resource::params, "params");
    compare(caps.macs, Resource::macs, "MACs");
    compare(caps.memory_bytes, Resource::memory_bytes, "bytes of memory");
    if (!broken.empty()) return broken;
    return kept_alone.empty() ? "" : "no network keeps all caps together: " + kept_alone;
}

Fit nothing_within(const ScalingContext& context, std::int64_t budget_ps, SearchDimensions dimensions) {
    Fit fit;
    if (context.settings().caps.any()) fit.reason = why_caps_are_broken(context, budget_ps);
    if (fit.reason.empty()) {
        fit.reason = why_nothing_fits(context, budget_ps, context.min_latency_ps(dimensions));
        if (const CostCoverage& coverage = context.coverage(); coverage.missing_layers > 0) {
            fit.reason += fmt::format(
                "; the table lacks {} of the {} layers that networks of the space have, {} among them, which "
                "\"hacscale profile\" measures with the same space",
                coverage.missing_layers, coverage.distinct_layers, coverage.first_missing);
        }
    }
    return fit;
}

// Said where it is the space and not the budget that keeps most widths from being wider, or narrower.
std::string at_space_end(const ScalingContext& context, SearchDimensions dimensions,
                         const ScalingChoice& choice) {
    const ChoiceSpace& space = context.space(dimensions);
    int open = 0;
    int widest = 0;
    int narrowest = 0;
    for (std::size_t i = 0; i < space.widths.size(); ++i) {
        const std::vector<int>& values = space.widths[i].values;
        if (values.size() == 1) continue;
        const int own = context.base_choice().widths[i];
        ++open;
        if (choice.widths[i] == values.back() && values.back() > own) ++widest;
        if (choice.widths[i] == values.front() && values.front() < own) ++narrowest;
    }
    const SpaceSettings& settings = context.settings().space;
    const auto text = [&](int count, const char* what, double ratio, const char* more) {
        return fmt::format(
            "{} of {} stages are as {} as the space allows, {:.3g} times the base's width; a larger space "
            "may {}",
            count, open, what, ratio, more);
    };
    if (2 * widest > open) return text(widest, "wide", *settings.max_width_ratio, "gain more");
    if (2 * narrowest > open) return text(narrowest, "narrow", *settings.min_width_ratio, "lose less");
    return "";
}

Fit chosen(const ScalingContext& context, const PlanKind& kind, std::size_t point) {
    Fit fit;
    const std::optional<Evaluation> result = context.evaluate(context.choice_at(kind, point));
    if (!result) {
        throw WorkError("the plan chose a model that cannot be built; please report this as a fault");
    }
    fit.status = FitStatus::ok;
    fit.result = *result;
    fit.reason = at_space_end(context, kind.dimensions, result->choice);
    return fit;
}

// The most gain within the latency budget.
Fit best_by_latency(const ScalingContext& context, std::int64_t budget_ps, const PlanKind& kind) {
    const PlanFront& front = context.front(kind);
    const std::optional<std::size_t> point = front.best_within(budget_ps + budget_slack_ps);
    if (!point) return nothing_within(context, budget_ps, kind.dimensions);
    Fit fit = chosen(context, kind, *point);
    if (*point + 1 < front.size()) {
        fit.next_us = static_cast<double>(front.costs[*point + 1]) / picoseconds_per_us;
    }
    return fit;
}

// The most gain that another cost buys, as a planner without a device would choose: of the front of (cost,
// gain), the last point that turns out to be within the latency budget. Where that gains nothing, the base
// stays.
Fit best_by_paper_cost(const ScalingContext& context, std::int64_t budget_ps, const PlanKind& kind) {
    const PlanFront& front = context.front(kind);
    const std::int64_t limit_ps = budget_ps + budget_slack_ps;
    const Evaluation& base = context.base_evaluation();
    const bool base_fits = base.latency_ps <= limit_ps && context.settings().caps.admit(base.usage);
    std::optional<double> next_us;
    for (std::size_t point = front.size(); point-- > 0;) {
        if (base_fits && front.gains[point] <= 0) break;
        const std::int64_t latency_ps = context.latency_ps_at(kind, point);
        if (latency_ps <= limit_ps) {
            Fit fit = chosen(context, kind, point);
            fit.next_us = next_us;
            return fit;
        }
        next_us = static_cast<double>(latency_ps) / picoseconds_per_us;
    }
    if (!base_fits) return nothing_within(context, budget_ps, kind.dimensions);
    Fit fit;
    fit.status = FitStatus::ok;
    fit.result = base;
    fit.next_us = next_us;
    return fit;
}

using Planner = Fit (*)(const ScalingContext& context, std::int64_t budget_ps, const PlanKind& kind);

Strategy strategy(std::string_view name, std::string_view description, std::string_view rule, Planner planner,
                  const PlanKind& kind) {
    return {name, description, rule, [planner, kind](const ScalingContext& context, std::int64_t budget_ps) {
                return planner(context, budget_ps, kind);
            }};
}

}  // namespace

std::vector<Strategy> planned_strategies() {
    constexpr CostModel latency = CostModel::latency;
    constexpr GainWeights given = GainWeights::given;
    return {
        strategy("importance-width", "each layer's width by its importance, within a budget of params",
                 "max gain of widths, params <= p, the largest p with latency <= budget", best_by_paper_cost,
                 {CostModel::params, given, SearchDimensions::widths}),
        strategy("hacscale-widths", "HACScale that chooses widths alone",
                 "max gain of widths, latency <= budget", best_by_latency,
                 {latency, given, SearchDimensions::widths}),
        strategy("hacscale-depths", "HACScale that chooses depths alone",
                 "max gain of depths, latency <= budget", best_by_latency,
                 {latency, given, SearchDimensions::depths}),
        strategy("hacscale-no-importance", "HACScale with every stage weighed alike",
                 "max gain, equal weights, latency <= budget", best_by_latency,
                 {latency, GainWeights::equal, SearchDimensions::all}),
        strategy("hacscale-no-utilization", "HACScale with MACs in place of the device's latencies",
                 "max gain, MACs as cost, then latency <= budget", best_by_paper_cost,
                 {CostModel::macs, given, SearchDimensions::all}),
        strategy("hacscale", "the most gain, or the least loss, that the device's latencies allow",
                 "max gain, latency <= budget", best_by_latency, {latency, given, SearchDimensions::all}),
    };
}

}  // namespace hacscale::rules
