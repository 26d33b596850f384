#include "scaling/strategies/families.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace hacscale::rules {
namespace {

// Calls visit(values, value, set) for each dimension that may be chosen: its values, the choice's, and a function
// that puts another value into a choice.
template <typename Visit>
void for_each_dimension(const ScalingChoice& choice, const ChoiceSpace& space, const Visit& visit) {
    for (std::size_t i = 0; i < space.widths.size(); ++i) {
        if (!space.is_free(i)) continue;
        visit(space.widths[i].values, choice.widths[i],
              [&space, i](ScalingChoice& to, int value) { to = space.with_width(std::move(to), i, value); });
    }
    for (std::size_t i = 0; i < space.depths.size(); ++i) {
        visit(space.depths[i].values, choice.depths[i],
              [i](ScalingChoice& to, int value) { to.depths[i] = value; });
    }
    visit(space.resolutions, choice.resolution, [](ScalingChoice& to, int value) { to.resolution = value; });
}

// The next of ascending values; nothing at the end, or when the value is none of them.
std::optional<int> next(const std::vector<int>& values, int value, Direction direction) {
    const auto at = std::lower_bound(values.begin(), values.end(), value);
    if (at == values.end() || *at != value) return std::nullopt;
    if (direction == Direction::down) return at == values.begin() ? std::nullopt : std::optional(*(at - 1));
    return at + 1 == values.end() ? std::nullopt : std::optional(*(at + 1));
}

Fit ok(Evaluation network) {
    Fit fit;
    fit.status = FitStatus::ok;
    fit.result = std::move(network);
    return fit;
}

}  // namespace

std::vector<ScalingChoice> steps_from(const ScalingChoice& choice, const ChoiceSpace& space,
                                      Direction direction) {
    std::vector<ScalingChoice> steps;
    for_each_dimension(choice, space, [&](const std::vector<int>& values, int value, const auto& set) {
        if (const std::optional<int> to = next(values, value, direction)) {
            set(steps.emplace_back(choice), *to);
        }
    });
    return steps;
}

// ---- Steps down ----

namespace {

// Of each dimension the nearest lower value with which the network saves at least `least_ps`.
std::vector<Evaluation> savings_from(const ScalingContext& context, const Evaluation& here,
                                     const ChoiceSpace& space, std::int64_t least_ps) {
    std::vector<Evaluation> savings;
    for_each_dimension(here.choice, space, [&](const std::vector<int>& values, int value, const auto& set) {
        for (auto to = next(values, value, Direction::down); to; to = next(values, *to, Direction::down)) {
            ScalingChoice choice = here.choice;
            set(choice, *to);
            std::optional<Evaluation> step = context.evaluate(choice);
            if (!step || !step->complete() || !step->gain) continue;
            if (here.latency_ps - step->latency_ps < least_ps) continue;
            savings.push_back(std::move(*step));
            return;
        }
    });
    return savings;
}

// From the base down, each time by the step that loses least for the latency saved, until `enough`, or no step
// saves at least `least_ps`.
template <typename Enough>
Evaluation cut_until(const ScalingContext& context, const ChoiceSpace& space, std::int64_t least_ps,
                     const Enough& enough) {
    Evaluation here = context.base_evaluation();
    while (!enough(here)) {
        const std::vector<Evaluation> steps = savings_from(context, here, space, least_ps);
        const auto loss = [&here](const Evaluation& step) {
            return (*here.gain - *step.gain) / static_cast<double>(here.latency_ps - step.latency_ps);
        };
        const auto best =
            std::min_element(steps.begin(), steps.end(),
                             [&loss](const Evaluation& a, const Evaluation& b) { return loss(a) < loss(b); });
        if (best == steps.end()) break;
        here = *best;
    }
    return here;
}

}  // namespace

// ---- Cut, then widen ----

namespace {

Fit morph(const ScalingContext& context, std::int64_t budget_ps) {
    const Evaluation& base = context.base_evaluation();
    const bool base_fits = Limits(context, budget_ps).admit(base);
    const auto goal_ps =
        static_cast<std::int64_t>(morph_cut * static_cast<double>(std::min(budget_ps, base.latency_ps)));
    const Evaluation rest =
        cut_until(context, context.space(SearchDimensions::widths), 1,
                  [&](const Evaluation& network) { return network.latency_ps <= goal_ps; });
    const auto path = [&context, base_given = !base_fits,
                       widened = multiplier_path(context, rest.choice, {0.5, 0.0, 0.0})]() mutable {
        if (base_given) return widened();
        base_given = true;
        return std::optional(context.base_choice());
    };
    Fit fit = last_within(context, path, budget_ps);
    // Not every cut pays.
    if (base_fits && fit.status == FitStatus::ok && *fit.result.gain < 0.0) fit.result = base;
    return fit;
}

}  // namespace

// ---- One step at a time ----

namespace {

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

// Where steps up begin: at the base, or, where it is over the budget or the caps, at what steps down come to.
Fit greedy_start(const ScalingContext& context, const Limits& limits, std::int64_t budget_ps) {
    const auto least_ps =
        static_cast<std::int64_t>(least_saving * static_cast<double>(context.base_evaluation().latency_ps));
    const auto admitted = [&](const Evaluation& network) { return limits.admit(network); };
    const Evaluation rest = cut_until(context, context.space(), least_ps, admitted);
    if (admitted(rest)) return ok(rest);
    Fit fit;
    fit.reason = why_nothing_fits(context, budget_ps, rest.latency_ps);
    return fit;
}

Fit greedy(const ScalingContext& context, std::int64_t budget_ps) {
    const Limits limits(context, budget_ps);
    Fit fit = greedy_start(context, limits, budget_ps);
    if (fit.status != FitStatus::ok) return fit;
    while (true) {
        fit.next_us.reset();
        std::optional<Evaluation> best;
        for (const ScalingChoice& choice : steps_from(fit.result.choice, context.space(), Direction::up)) {
            const std::optional<Evaluation> step = context.evaluate(choice);
            if (!step) continue;
            if (limits.over_budget(*step)) {
                fit.next_us = std::min(fit.next_us.value_or(step->latency_us()), step->latency_us());
            }
            if (!step->gain || !limits.admit(*step) || *step->gain <= *fit.result.gain) continue;
            if (!best || better_step(fit.result, *step, *best)) best = step;
        }
        if (!best) return fit;
        fit.result = *best;
    }
}

}  // namespace

// ---- At random ----

namespace {

// Networks looked up at least, where the base is over the budget: as many as the planner's tables of a small
// network have would be hardly enough to find one within it.
constexpr std::int64_t least_lookups = 400;

// Walks from the base: jumps down until the network is within the limits, where the base is not, then steps up
// until none is; the network of most gain that a walk came by. The search ends when it has looked up as much as
// the planner's tables have.
class RandomSearch {
public:
    RandomSearch(const ScalingContext& context, std::int64_t budget_ps)
        : context_(context), budget_ps_(budget_ps), limits_(context, budget_ps), left_(context.lookups()) {}

    Fit run() {
        const Evaluation& base = context_.base_evaluation();
        const bool base_fits = limits_.admit(base);
        if (!base_fits) left_ = std::max(left_, least_lookups);
        if (base_fits) best_ = ok(base);
        while (left_ > 0) {
            const std::optional<Evaluation> start = base_fits ? std::optional(base) : walk_down();
            if (!start) continue;
            keep(*start);
            // A space with no larger networks than the base is searched.
            if (!walk_up(*start)) break;
        }
        if (best_.status != FitStatus::ok) {
            best_.next_us.reset();
            best_.reason = why_nothing_fits(context_, budget_ps_, least_ps_);
        }
        return std::move(best_);
    }

private:
    // A number below `count`, the same on every platform, which the standard's distributions are not.
    std::size_t draw(std::size_t count) { return static_cast<std::size_t>(random_() % count); }

    void keep(const Evaluation& network) {
        if (best_.status == FitStatus::ok && *network.gain <= *best_.result.gain) return;
        best_.status = FitStatus::ok;
        best_.result = network;
    }

    // All that is smaller in one dimension.
    std::vector<ScalingChoice> jumps_from(const ScalingChoice& choice) const {
        std::vector<ScalingChoice> jumps;
        for_each_dimension(choice, context_.space(),
                           [&](const std::vector<int>& values, int value, const auto& set) {
                               for (auto to = next(values, value, Direction::down); to;
                                    to = next(values, *to, Direction::down)) {
                                   set(jumps.emplace_back(choice), *to);
                               }
                           });
        return jumps;
    }

    // Nothing where the walk came to a network that no jump makes smaller.
    std::optional<Evaluation> walk_down() {
        Evaluation here = context_.base_evaluation();
        std::vector<ScalingChoice> jumps = jumps_from(here.choice);
        while (!jumps.empty() && left_ > 0) {
            const auto at = jumps.begin() + static_cast<std::ptrdiff_t>(draw(jumps.size()));
            const std::optional<Evaluation> jump = context_.evaluate(*at);
            --left_;
            if (!jump || !jump->complete() || !jump->gain) {
                jumps.erase(at);
                continue;
            }
            here = *jump;
            if (limits_.admit(here)) return here;
            least_ps_ = std::min(least_ps_.value_or(here.latency_ps), here.latency_ps);
            jumps = jumps_from(here.choice);
        }
        --left_;
        return std::nullopt;
    }

    // False where there are no steps.
    bool walk_up(Evaluation here) {
        std::vector<ScalingChoice> steps = steps_from(here.choice, context_.space(), Direction::up);
        if (steps.empty()) return false;
        while (!steps.empty() && left_ > 0) {
            const auto at = steps.begin() + static_cast<std::ptrdiff_t>(draw(steps.size()));
            const std::optional<Evaluation> step = context_.evaluate(*at);
            --left_;
            if (step && step->gain && limits_.admit(*step)) {
                here = *step;
                steps = steps_from(here.choice, context_.space(), Direction::up);
                keep(here);
                continue;
            }
            if (step && limits_.over_budget(*step)) {
                best_.next_us = std::min(best_.next_us.value_or(step->latency_us()), step->latency_us());
            }
            steps.erase(at);
        }
        return true;
    }

    const ScalingContext& context_;
    std::int64_t budget_ps_;
    Limits limits_;
    std::int64_t left_;
    std::optional<std::int64_t> least_ps_;  // of networks over the budget
    Fit best_;
    std::mt19937_64 random_{1};
};

}  // namespace

std::vector<Strategy> stepwise_strategies() {
    return {
        {"morph", "widths cut where they matter least, then all widened alike",
         "cut to 0.75 of the latency by least gain lost per latency, then w = s^1/2", morph},
        {"random", "random search with as many table lookups as the planner",
         "most gain on random walks from the base",
         [](const ScalingContext& context, std::int64_t budget_ps) {
             return RandomSearch(context, budget_ps).run();
         }},
        {"greedy", "one step at a time: down by least loss, as NetAdapt does, up by most gain",
         "max (gain' - gain) / (latency' - latency), until no step fits", greedy},
    };
}

}  // namespace hacscale::rules
