#include <algorithm>
#include <cmath>
#include <numbers>

#include "training/recipe.hpp"

namespace hacscale {

// Steps are taken at their middles, so that neither the first nor the last one of a run has the rate 0.
double learning_rate(const Recipe& recipe, long step, long steps_per_epoch) {
    const double total = static_cast<double>(recipe.epochs) * static_cast<double>(steps_per_epoch);
    const double warmup = std::min(recipe.warmup_epochs * static_cast<double>(steps_per_epoch), total);
    const double now = std::clamp(static_cast<double>(step) + 0.5, 0.5, total - 0.5);
    if (now < warmup) return recipe.peak_learning_rate * now / warmup;
    const double fall = (now - warmup) / (total - warmup);  // 0 at the peak, 1 at the end
    if (recipe.schedule == LearningRateSchedule::one_cycle) return recipe.peak_learning_rate * (1.0 - fall);
    return recipe.peak_learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * fall));
}

}  // namespace hacscale
