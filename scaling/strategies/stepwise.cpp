#include "scaling/strategies/stepwise.hpp"

#include <algorithm>
#include <random>

#include "scaling/strategies/path.hpp"
#include "scaling/strategies/step.hpp"

namespace hacscale::rules {
namespace {

// What may be stood on: predicted, within the budget and the caps.
class Limits {
public:
    Limits(const ScalingContext& context, std::int64_t budget_ps)
        : context_(context), limit_ps_(budget_ps + budget_slack_ps) {}

    bool admit(const Evaluation& network) const {
        return network.complete() && network.gain && network.latency_ps <= limit_ps_ &&
               context_.settings().caps.admit(network.needs);
    }
    // Whether the latency is all that speaks against it.
    bool over_budget(const Evaluation& network) const {
        return network.complete() && network.latency_ps > limit_ps_;
    }

private:
    const ScalingContext& context_;
    std::int64_t limit_ps_;
};

// The base; or why it is out already.
Fit start(const ScalingContext& context, std::int64_t budget_ps) {
    const auto base_alone = [&, given = false]() mutable -> std::optional<ScalingChoice> {
        if (given) return std::nullopt;
        given = true;
        return choice_of(context.base());
    };
    return last_within(context, base_alone, budget_ps);
}

// Whether a step from `here` to `a` is better than one to `b`: by gain per latency, those that cost none
// first.
bool better_step(const Evaluation& here, const Evaluation& a, const Evaluation& b) {
    const double gain_a = *a.gain - *here.gain;
    const double gain_b = *b.gain - *here.gain;
    const auto cost_a = static_cast<double>(std::max<std::int64_t>(0, a.latency_ps - here.latency_ps));
    const auto cost_b = static_cast<double>(std::max<std::int64_t>(0, b.latency_ps - here.latency_ps));
    const double left = gain_a * cost_b;
    const double right = gain_b * cost_a;
    return left != right ? left > right : gain_a > gain_b;
}

Fit greedy(const ScalingContext& context, std::int64_t budget_ps) {
    Fit fit = start(context, budget_ps);
    if (fit.status != FitStatus::ok) return fit;
    const Limits limits(context, budget_ps);
    while (true) {
        fit.next_us.reset();
        std::optional<Evaluation> best;
        for (const ScalingChoice& choice : steps_from(fit.result.choice, context.space(), Direction::up)) {
            const std::optional<Evaluation> step = context.evaluate(choice);
            if (!step) continue;
            if (limits.over_budget(*step)) {
                fit.next_us = std::min(fit.next_us.value_or(step->latency_us()), step->latency_us());
            }
            if (!limits.admit(*step) || *step->gain <= *fit.result.gain) continue;
            if (!best || better_step(fit.result, *step, *best)) best = step;
        }
        if (!best) return fit;
        fit.result = *best;
    }
}

// A number below `count`, the same on every platform, which the standard's distributions are not.
std::size_t draw(std::mt19937_64& random, std::size_t count) {
    return static_cast<std::size_t>(random() % count);
}

// Walks from the base, each a sequence of random steps up until none is within the limits; the network of
// most gain that a walk came by. A network is looked up as an entry and a body a stage; the search ends when
// it has looked up as many as the planner's tables have.
Fit random_search(const ScalingContext& context, std::int64_t budget_ps) {
    Fit fit = start(context, budget_ps);
    if (fit.status != FitStatus::ok) return fit;
    const Limits limits(context, budget_ps);
    const std::int64_t fragments = 2 * std::ssize(context.base().stages);
    std::int64_t left = context.costs(CostModel::latency).coverage.options / fragments;
    std::mt19937_64 random(1);
    while (left > 0) {
        Evaluation here = context.base_evaluation();
        std::vector<ScalingChoice> steps = steps_from(here.choice, context.space(), Direction::up);
        // A space with no larger networks than the base is searched.
        if (steps.empty()) return fit;
        while (!steps.empty() && left > 0) {
            const auto at = steps.begin() + static_cast<std::ptrdiff_t>(draw(random, steps.size()));
            const std::optional<Evaluation> step = context.evaluate(*at);
            --left;
            if (step && limits.admit(*step)) {
                here = *step;
                steps = steps_from(here.choice, context.space(), Direction::up);
                if (*here.gain > *fit.result.gain) fit.result = here;
                continue;
            }
            if (step && limits.over_budget(*step)) {
                fit.next_us = std::min(fit.next_us.value_or(step->latency_us()), step->latency_us());
            }
            steps.erase(at);
        }
    }
    return fit;
}

}  // namespace

std::vector<Strategy> stepwise_strategies() {
    return {
        {"random", "random search with as many table lookups as the planner",
         "most gain on random walks up from the base", random_search},
        {"greedy", "one step at a time, the one of most gain per latency",
         "max (gain' - gain) / (latency' - latency), until no step fits", greedy},
    };
}

}  // namespace hacscale::rules
