#include "scaling/strategies/path.hpp"

#include <fmt/format.h>

namespace hacscale::rules {
namespace {

std::string why_base_does_not_fit(const ScalingContext& context, std::int64_t budget_ps) {
    const Evaluation& base = context.base_evaluation();
    if (base.latency_ps > budget_ps + budget_slack_ps) {
        return fmt::format("even the base needs {:.1f} us, and the budget is {:.1f} us", base.latency_us(),
                           static_cast<double>(budget_ps) / picoseconds_per_us);
    }
    return fmt::format("even the base has {} params, and the cap is {}", base.params,
                       context.settings().max_params.value_or(0));
}

}  // namespace

Fit last_within(const ScalingContext& context, const Path& path, std::int64_t budget_ps) {
    const std::int64_t limit_ps = budget_ps + budget_slack_ps;
    const std::optional<std::int64_t> max_params = context.settings().max_params;
    Fit best;
    std::string missing;  // a layer without which the steps after the best one could not be predicted
    while (const std::optional<ScalingChoice> choice = path()) {
        const std::optional<Evaluation> step = context.evaluate(*choice);
        if (!step) break;  // grown beyond what a model may be
        if (max_params && step->params > *max_params) {
            if (!best.next_us && step->complete()) best.next_us = step->latency_us();
            break;
        }
        if (!step->complete()) {
            if (missing.empty()) missing = step->first_missing;
            continue;
        }
        if (step->latency_ps <= limit_ps) {
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
