// The table of strategies, and what its families share.
#include "scaling/strategies/families.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace hacscale {
namespace {

std::vector<Strategy> make_table() {
    std::vector<Strategy> table;
    for (const auto& family :
         {rules::multiplier_strategies(), rules::width_on_edges_strategies(), rules::stepwise_strategies(),
          rules::pruning_strategies(), rules::planned_strategies()}) {
        table.insert(table.end(), family.begin(), family.end());
    }
    return table;
}

}  // namespace

const std::vector<Strategy>& strategies() {
    static const std::vector<Strategy> table = make_table();
    return table;
}

std::vector<const Strategy*> usual_strategies(double budget) {
    std::vector<const Strategy*> usual;
    for (const Strategy& strategy : strategies()) {
        if (budget < 1.0 || !strategy.shrinks_only) usual.push_back(&strategy);
    }
    return usual;
}

const Strategy& find_strategy(std::string_view name) {
    std::string known;
    for (const Strategy& strategy : strategies()) {
        if (strategy.name == name) return strategy;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", strategy.name);
    }
    throw InputError(fmt::format("there is no strategy '{}', expected one of {}", name, known));
}

Fit fit(const Strategy& strategy, const ScalingContext& context, double budget_us) {
    if (!(budget_us > 0.0)) {
        throw InputError(fmt::format("the budget is {} us, expected more than 0", budget_us));
    }
    const double max_us = context.max_budget_us();
    if (budget_us > max_us * (1.0 + 1e-9)) {
        throw InputError(
            fmt::format("the budget is {} us, above the largest planned for, {} us", budget_us, max_us));
    }
    Fit result = strategy.fit(context, picoseconds(budget_us));
    result.strategy = strategy.name;
    return result;
}

Fit base_fit(const ScalingContext& context) {
    Fit fit;
    fit.strategy = "base";
    fit.status = FitStatus::ok;
    fit.result = context.base_evaluation();
    return fit;
}

}  // namespace hacscale

namespace hacscale::rules {
namespace {

// The caps that the base breaks; empty where it keeps all.
std::string broken_caps(const ScalingContext& context) {
    const Evaluation& base = context.base_evaluation();
    const Caps& caps = context.settings().caps;
    std::string reason;
    const auto compare = [&](std::int64_t used, const std::optional<std::int64_t>& cap, const char* what) {
        if (!cap || used <= *cap) return;
        reason += fmt::format("{}{} {}, and the cap is {}", reason.empty() ? "the base needs " : "; ", used,
                              what, *cap);
    };
    compare(base.usage.params, caps.params, "params");
    compare(base.usage.macs, caps.macs, "MACs");
    compare(base.usage.memory_bytes(), caps.memory_bytes, "bytes of memory");
    return reason;
}

std::string lacks(const std::string& layer, const char* steps) {
    return fmt::format("{} steps could not be predicted: the table lacks {} among others", steps, layer);
}

}  // namespace

std::string why_nothing_fits(const ScalingContext& context, std::int64_t budget_ps,
                             std::optional<std::int64_t> least_ps) {
    const auto base_ps = static_cast<double>(context.base_evaluation().latency_ps);
    const auto budget = static_cast<double>(budget_ps);
    std::string reason = broken_caps(context);
    if (least_ps && *least_ps > budget_ps + budget_slack_ps) {
        const auto least = static_cast<double>(*least_ps);
        reason += fmt::format(
            "{}no network is within {:.1f} us, {:.3g} of the base's latency; the least that fits is {:.3g} "
            "of "
            "the base's latency, {:.1f} us",
            reason.empty() ? "" : "; ", budget / picoseconds_per_us, budget / base_ps, least / base_ps,
            least / picoseconds_per_us);
    } else if (reason.empty()) {
        reason = fmt::format("no network is within {:.1f} us, {:.3g} of the base's latency",
                             budget / picoseconds_per_us, budget / base_ps);
    } else {
        reason += "; no network of this strategy keeps that";
    }
    return reason;
}

Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps) {
    const Limits limits(context, budget_ps);
    const std::int64_t limit_ps = budget_ps + budget_slack_ps;
    Fit best;
    std::optional<std::int64_t> least_ps;
    std::string missing;  // a layer without which the steps after the best one could not be predicted
    while (const std::optional<ScalingChoice> choice = path()) {
        const std::optional<Evaluation> step = context.evaluate(*choice);
        // Grown beyond what a model may be, or two widths coincide or part, which would make or drop an add.
        if (!step) continue;
        if (!context.settings().caps.admit(step->usage)) {
            if (!best.next_us && step->complete()) best.next_us = step->latency_us();
            break;
        }
        // What is known of a step's latency ends the path as well: in some tables, no further step is complete.
        if (!step->complete()) {
            if (missing.empty()) missing = step->first_missing;
        } else {
            least_ps = std::min(least_ps.value_or(step->latency_ps), step->latency_ps);
            if (limits.admit(*step)) {
                best.status = FitStatus::ok;
                best.result = *step;
                best.next_us.reset();
                missing.clear();
            } else if (!best.next_us) {
                best.next_us = step->latency_us();
            }
        }
        if (step->latency_ps / 2 > limit_ps) break;
    }
    if (best.status != FitStatus::ok) {
        best.next_us.reset();
        best.reason = why_nothing_fits(context, budget_ps, least_ps);
    } else if (!missing.empty()) {
        best.reason = lacks(missing, "larger");
    }
    return best;
}

Fit first_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps) {
    const Limits limits(context, budget_ps);
    Fit fit;
    std::optional<std::int64_t> least_ps;
    std::string missing;
    while (const std::optional<ScalingChoice> choice = path()) {
        const std::optional<Evaluation> step = context.evaluate(*choice);
        if (!step) continue;
        if (!step->complete()) {
            if (missing.empty()) missing = step->first_missing;
            continue;
        }
        if (limits.admit(*step)) {
            fit.status = FitStatus::ok;
            fit.result = *step;
            return fit;
        }
        // Of all that a larger budget would take before this, the one that it would have to reach first.
        if (limits.over_budget(*step)) {
            fit.next_us = std::min(fit.next_us.value_or(step->latency_us()), step->latency_us());
        }
        if (context.settings().caps.admit(step->usage)) {
            least_ps = std::min(least_ps.value_or(step->latency_ps), step->latency_ps);
        }
    }
    fit.next_us.reset();
    fit.reason = why_nothing_fits(context, budget_ps, least_ps);
    if (!missing.empty()) fit.reason += "; " + lacks(missing, "smaller");
    return fit;
}

Fit along(const ScalingContext& context, const std::function<Path(Direction)>& path_to,
          std::int64_t budget_ps) {
    return Limits(context, budget_ps).admit(context.base_evaluation())
               ? last_within(context, path_to(Direction::up), budget_ps)
               : first_within(context, path_to(Direction::down), budget_ps);
}

}  // namespace hacscale::rules
