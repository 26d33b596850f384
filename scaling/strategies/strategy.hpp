// A strategy is a rule that turns a base and a latency budget into a scaled model. All are entries of one
// table, so that reports compare them alike and tests go over them.
//
// The baselines have one parameter s, the factor by which MACs change to first order. Where the base is within
// the budget, s is raised from 1: widths are rounded to their step, depths to integers, resolutions to their
// step, and of the distinct configurations that come about, the last one within the budget is taken. Latency is
// a staircase and can fall as a network grows, so the search continues until a configuration is over twice the
// budget. Where the base exceeds the budget, s falls, and the first configuration within the budget is taken.
// Some go step by step through the planner's own space; pruning cuts channels only; the others choose from the
// exact front of a plan.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scaling/context.hpp"

namespace hacscale {

enum class FitStatus {
    ok,
    infeasible,  // nothing fits; `reason` says why
};

// What a strategy makes of a budget, predicted and not yet measured.
struct Fit {
    std::string strategy;
    FitStatus status = FitStatus::infeasible;
    // Why it is infeasible; when it is ok, a remark if layers missing from the table, or the bounds of the
    // space, kept it from going further.
    std::string reason;
    Evaluation result;  // valid when ok
    // Predicted latency of the strategy's next larger step, where there is one.
    std::optional<double> next_us;

    double predicted_us() const { return result.latency_us(); }
};

struct Strategy {
    std::string_view name;
    std::string_view description;  // one line
    std::string_view rule;         // the formula
    std::function<Fit(const ScalingContext& context, std::int64_t budget_ps)> fit;
    // It is known for making networks smaller only: the base stays where it is within the budget.
    bool shrinks_only = false;
};

// In the order in which reports show them, the baselines first.
const std::vector<Strategy>& strategies();
// Those that a comparison at this budget has where none are named: from 1 on without those that only shrink.
std::vector<const Strategy*> usual_strategies(double budget);
// Throws InputError listing the names there are.
const Strategy& find_strategy(std::string_view name);

// Pure: the same arguments give the same answer. `budget_us` may be below the base's latency: callers lower
// it when the device turns out slower than predicted. Throws InputError for a budget that is not above 0, or
// above what the context plans for.
Fit fit(const Strategy& strategy, const ScalingContext& context, double budget_us);

// The base itself, as the first row of a comparison.
Fit base_fit(const ScalingContext& context);

}  // namespace hacscale
