#include "scaling/strategies/strategy.hpp"

#include <fmt/format.h>

#include <cmath>

#include "base/error.hpp"
#include "scaling/strategies/morph.hpp"
#include "scaling/strategies/multiplier.hpp"
#include "scaling/strategies/planned.hpp"
#include "scaling/strategies/stepwise.hpp"
#include "scaling/strategies/width_on_edges.hpp"

namespace hacscale {
namespace {

std::vector<Strategy> make_table() {
    std::vector<Strategy> table;
    for (const auto& family :
         {rules::multiplier_strategies(), rules::width_on_edges_strategies(), rules::morph_strategies(),
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
    const double most_us = context.settings().max_budget * context.base_evaluation().latency_us();
    if (budget_us > most_us * (1.0 + 1e-9)) {
        throw InputError(
            fmt::format("the budget is {} us, above the largest planned for, {} us", budget_us, most_us));
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
