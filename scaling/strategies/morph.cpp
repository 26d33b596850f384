#include "scaling/strategies/morph.hpp"

#include "scaling/strategies/multiplier.hpp"
#include "scaling/strategies/step.hpp"

namespace hacscale::rules {
namespace {

// The base with widths cut until it is within `morph_cut` of its latency, or none can be cut any more.
ScalingChoice cut(const ScalingContext& context) {
    const ScalingSpace& space = context.space(Freedom::widths);
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
        return std::optional(choice_of(context.base()));
    };
    Fit fit = last_within(context, path, budget_ps);
    // Not every cut pays.
    if (fit.status == FitStatus::ok && *fit.result.gain < 0.0) fit.result = context.base_evaluation();
    return fit;
}

}  // namespace

std::vector<Strategy> morph_strategies() {
    return {{"morph", "widths cut where they matter least, then all widened alike",
             "cut to 0.75 of the latency by least gain lost per latency, then w = s^1/2", morph}};
}

}  // namespace hacscale::rules
