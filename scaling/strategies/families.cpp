// The table of strategies, and what its families share.
#include "scaling/strategies/families.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"

namespace hacscale {
namespace {

std::vector<Strategy> make_table() {
    std::vector<Strategy> table;
    for (const auto& family : {rules::multiplier_strategies(), rules::width_on_edges_strategies(),
                               rules::stepwise_strategies(), rules::planned_strategies()}) {
        table.insert(table.end(), family.begin(), family.end());
    }
    return table;
}

}  // namespace

const std::vector<Strategy>& strategies() {
    static const std::vector<Strategy> table = make_table();
    return table;
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
    const double max_us = context.settings().max_budget * context.base_evaluation().latency_us();
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

std::string why_base_does_not_fit(const ScalingContext& context, std::int64_t budget_ps) {
    const Evaluation& base = context.base_evaluation();
    if (base.latency_ps > budget_ps + budget_slack_ps) {
        return fmt::format("even the base needs {:.1f} us, and the budget is {:.1f} us", base.latency_us(),
                           static_cast<double>(budget_ps) / picoseconds_per_us);
    }
    const Caps& caps = context.settings().caps;
    std::string reason;
    const auto compare = [&](std::int64_t used, const std::optional<std::int64_t>& cap, const char* what) {
        if (!cap || used <= *cap) return;
        reason += fmt::format("{}{} {}, and the cap is {}", reason.empty() ? "even the base needs " : "; ",
                              used, what, *cap);
    };
    compare(base.usage.params, caps.params, "params");
    compare(base.usage.macs, caps.macs, "MACs");
    compare(base.usage.memory_bytes(), caps.memory_bytes, "bytes of memory");
    return reason;
}

}  // namespace

Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps) {
    const std::int64_t limit_ps = budget_ps + budget_slack_ps;
    Fit best;
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
        } else if (step->latency_ps <= limit_ps) {
            best.status = FitStatus::ok;
            best.result = *step;
            best.next_us.reset();
            missing.clear();
        } else if (!best.next_us) {
            best.next_us = step->latency_us();
        }
        if (step->latency_ps / 2 > limit_ps) break;
    }
    if (best.status != FitStatus::ok) {
        best.next_us.reset();
        best.reason = why_base_does_not_fit(context, budget_ps);
    } else if (!missing.empty()) {
        best.reason =
            fmt::format("larger steps could not be predicted: the table lacks {} among others", missing);
    }
    return best;
}

}  // namespace hacscale::rules
