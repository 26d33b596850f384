#include "scaling/strategies/planned.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "scaling/planner/least_need.hpp"

namespace hacscale::rules {
namespace {

// Which caps cannot be kept, and the least that a network within the latency budget needs.
std::string why_caps_are_broken(const ScalingContext& context, std::int64_t budget_ps) {
    const ChainProblem& problem = context.costs(CostModel::latency).problem;
    const Caps& caps = context.settings().caps;
    std::string broken;
    std::string kept_alone;
    const auto compare = [&](const std::optional<std::int64_t>& cap, Need need, const char* what) {
        if (!cap) return;
        const std::optional<std::int64_t> least = least_need(problem, budget_ps + budget_slack_ps, need);
        if (!least) return;
        std::string& text = *least > *cap ? broken : kept_alone;
        text += fmt::format("{}the cap on {} is {}, and the least possible within the latency budget is {}",
                            text.empty() ? "" : "; ", what, *cap, *least);
    };
    compare(caps.params, Need::params, "params");
    compare(caps.macs, Need::macs, "MACs");
    compare(caps.memory_bytes, Need::memory_bytes, "bytes of memory");
    if (!broken.empty()) return broken;
    return kept_alone.empty() ? "" : "no network keeps all caps together: " + kept_alone;
}

Fit nothing_within(const ScalingContext& context, std::int64_t budget_ps) {
    Fit fit;
    if (context.settings().caps.any()) fit.reason = why_caps_are_broken(context, budget_ps);
    if (fit.reason.empty()) {
        fit.reason = fmt::format("nothing in the space is within {:.1f} us; the base needs {:.1f} us",
                                 static_cast<double>(budget_ps) / picoseconds_per_us,
                                 context.base_evaluation().latency_us());
    }
    return fit;
}

Fit chosen(const ScalingContext& context, const ParetoFront& front, std::size_t point) {
    Fit fit;
    const std::optional<Evaluation> result =
        context.evaluate(choice_from(context.space(), front.choice(point)));
    if (!result)
        throw WorkError("the plan chose a model that cannot be built; please report this as a fault");
    fit.status = FitStatus::ok;
    fit.result = *result;
    return fit;
}

// The most gain within the latency budget.
Fit best_by_latency(const ScalingContext& context, std::int64_t budget_ps, GainWeights weights) {
    const ParetoFront& front = context.front(CostModel::latency, weights);
    const std::optional<std::size_t> point = front.best_within(budget_ps + budget_slack_ps);
    if (!point) return nothing_within(context, budget_ps);
    Fit fit = chosen(context, front, *point);
    if (*point + 1 < front.size()) {
        fit.next_us = static_cast<double>(front.costs[*point + 1]) / picoseconds_per_us;
    }
    return fit;
}

// The most gain a MAC, as a planner without a device would choose: of the front of (MACs, gain), the last
// point that turns out to be within the latency budget.
Fit best_by_macs(const ScalingContext& context, std::int64_t budget_ps) {
    const ParetoFront& front = context.front(CostModel::macs, GainWeights::given);
    const ChainProblem& latencies = context.costs(CostModel::latency).problem;
    for (std::size_t point = front.size(); point-- > 0;) {
        const std::optional<ChainTotals> totals = totals_of(latencies, front.choice(point));
        if (totals && totals->cost <= budget_ps + budget_slack_ps) return chosen(context, front, point);
    }
    return nothing_within(context, budget_ps);
}

}  // namespace

std::vector<Strategy> planned_strategies() {
    return {
        {"hacscale-no-importance", "HACScale with every stage weighed alike",
         "max gain, equal weights, latency <= budget",
         [](const ScalingContext& context, std::int64_t budget_ps) {
             return best_by_latency(context, budget_ps, GainWeights::equal);
         }},
        {"hacscale-no-utilization", "HACScale with MACs in place of the device's latencies",
         "max gain, MACs as cost, then latency <= budget", best_by_macs},
        {"hacscale", "the most gain that the device's latencies allow", "max gain, latency <= budget",
         [](const ScalingContext& context, std::int64_t budget_ps) {
             return best_by_latency(context, budget_ps, GainWeights::given);
         }},
    };
}

}  // namespace hacscale::rules
