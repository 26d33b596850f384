#include "scaling/strategies/families.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace hacscale::rules {
namespace {

// The next of ascending values; nothing at the end, or when the value is none of them.
std::optional<int> next(const std::vector<int>& values, int value, Direction direction) {
    const auto at = std::lower_bound(values.begin(), values.end(), value);
    if (at == values.end() || *at != value) return std::nullopt;
    if (direction == Direction::down) return at == values.begin() ? std::nullopt : std::optional(*(at - 1));
    return at + 1 == values.end() ? std::nullopt : std::optional(*(at + 1));
}

}  // namespace

std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ChoiceSpace& space,
                                      Direction direction) {
    std::vector<ScalingChoice> steps;
    const auto add = [&](const std::vector<int>& values, int value, const auto& set) {
        if (const std::optional<int> to = next(values, value, direction)) {
            set(steps.emplace_back(choice), *to);
        }
    };
    for (std::size_t i = 0; i < space.widths.size(); ++i) {
        if (!space.is_free(i)) continue;
        add(space.widths[i].values, choice.widths[i], [&space, i](ScalingChoice& step, int value) {
            step = space.with_width(std::move(step), i, value);
        });
    }
    for (std::size_t i = 0; i < space.depths.size(); ++i) {
        add(space.depths[i].values, choice.depths[i],
            [i](ScalingChoice& step, int value) { step.depths[i] = value; });
    }
    add(space.resolutions, choice.resolution,
        [](ScalingChoice& step, int value) { step.resolution = value; });
    return steps;
}

// ---- Cut, then widen ----

namespace {

// The base with widths cut until it is within `morph_cut` of its latency, or none can be cut any more.
ScalingChoice cut(const ScalingContext& context) {
    const ChoiceSpace& space = context.space(SearchDimensions::widths);
    Evaluation here = context.base_evaluation();
    const auto goal_ps = static_cast<std::int64_t>(morph_cut * static_cast<double>(here.latency_ps));
    while (here.latency_ps > goal_ps) {
        std::optional<Evaluation> best;
        double best_loss = 0.0;
        for (const ScalingChoice& choice : steps_from(here.choice, space, Direction::down)) {
            const std::optional<Evaluation> step = context.evaluate(choice);
            if (!step || !step->complete() || step->latency_ps >= here.latency_ps) continue;
            const double loss =
                (*here.gain - *step->gain) / static_cast<double>(here.latency_ps - step->latency_ps);
            if (best && loss >= best_loss) continue;
            best = step;
            best_loss = loss;
        }
        if (!best) break;
        here = *best;
    }
    return here.choice;
}

Fit morph(const ScalingContext& context, std::int64_t budget_ps) {
    const auto path = [&context, base_given = false,
                       widened = multiplier_path(context, cut(context), {0.5, 0.0, 0.0})]() mutable {
        if (base_given) return widened();
        base_given = true;
        return std::optional(context.base_choice());
    };
    Fit fit = last_within(context, path, budget_ps);
    // Not every cut pays.
    if (fit.status == FitStatus::ok && *fit.result.gain < 0.0) fit.result = context.base_evaluation();
    return fit;
}

}  // namespace

// ---- One step at a time ----

namespace {

// What may be stood on: predicted, within the budget and the caps.
class Limits {
public:
    Limits(const ScalingContext& context, std::int64_t budget_ps)
        : context_(context), limit_ps_(budget_ps + budget_slack_ps) {}

    bool admit(const Evaluation& network) const {
        return network.complete() && network.gain && network.latency_ps <= limit_ps_ &&
               context_.settings().caps.admit(network.usage);
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
        return context.base_choice();
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
// most gain that a walk came by. The search ends when it has looked up as much as the planner's tables have.
Fit random_search(const ScalingContext& context, std::int64_t budget_ps) {
    Fit fit = start(context, budget_ps);
    if (fit.status != FitStatus::ok) return fit;
    const Limits limits(context, budget_ps);
    std::int64_t left = context.lookups();
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
        {"morph", "widths cut where they matter least, then all widened alike",
         "cut to 0.75 of the latency by least gain lost per latency, then w = s^1/2", morph},
        {"random", "random search with as many table lookups as the planner",
         "most gain on random walks up from the base", random_search},
        {"greedy", "one step at a time, the one of most gain per latency",
         "max (gain' - gain) / (latency' - latency), until no step fits", greedy},
    };
}

}  // namespace hacscale::rules
