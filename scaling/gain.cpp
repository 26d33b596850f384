#include "scaling/gain.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

double ln_capacity(const ModelSpec& base, const ScalingChoice& choice) {
    // As if no width were an output's: what a fixed width would be worth is defined too.
    return ln_capacity(lower(detail::scaled_part(base, choice)));
}

double log_ratio(int value, int base) {
    return std::log(static_cast<double>(value) / base);
}

// The slope of ln capacity over the logarithm of one dimension, from its base value to twice that (half,
// where the double is outside what a model may have). `set` puts a value of the dimension into a choice.
template <typename Set>
Coefficient mean_slope(const ModelSpec& base, int base_value, int largest, const Set& set) {
    const int value = base_value <= largest / 2 ? 2 * base_value : base_value / 2;
    ScalingChoice choice = choice_of(base);
    const double before = ln_capacity(base, choice);
    set(choice, value);
    return {(ln_capacity(base, choice) - before) / log_ratio(value, base_value), 0.0};
}

std::int64_t quanta(double gain) {
    return std::llround(gain * gain_quanta_per_unit);
}

double inner_gain(const Gain& gain, std::size_t s, int block, int inner, int derived) {
    if (inner == derived) return 0.0;
    const StageGain& stage = gain.stages[s];
    if (stage.inner.empty()) {
        throw InputError(
            "gain: what inner widths are worth is not known; let them follow, or use a gain that knows");
    }
    const auto last = static_cast<int>(stage.inner.size()) - 1;
    return stage.inner[static_cast<std::size_t>(std::min(block, last))] * gain.worth(inner, derived);
}

// ---- Capacity ----

// Of each block of a stage, the slope of ln capacity over its inner width.
std::vector<double> inner_slopes(const ModelSpec& base, std::size_t stage) {
    const InnerRule rule(base, static_cast<int>(stage));
    std::vector<double> slopes;
    for (int block = 0; block < base.stages[stage].depth; ++block) {
        if (!rule.is_free(block)) {
            slopes.push_back(0.0);
            continue;
        }
        const int inner = base.stages[stage].inner_widths[static_cast<std::size_t>(block)];
        const auto set = [&](ScalingChoice& choice, int value) {
            choice.inner_widths.resize(base.stages.size());
            choice.inner_widths[stage] = base.stages[stage].inner_widths;
            choice.inner_widths[stage][static_cast<std::size_t>(block)] = value;
        };
        slopes.push_back(mean_slope(base, inner, max_layer_size, set).value);
    }
    return slopes;
}

}  // namespace

double ln_capacity(const Graph& network) {
    double sum = 0.0;
    for (const std::int64_t count : {network.params(), network.macs()}) {
        if (count > 0) sum += std::log(static_cast<double>(count));
    }
    return 0.5 * sum;
}

double saturating_worth(double ln_ratio, double saturation) {
    return saturation == 0.0 ? ln_ratio : -std::expm1(-saturation * ln_ratio) / saturation;
}

double parting_loss(double ln_quotient) {
    const double excess = std::max(0.0, std::abs(ln_quotient) - std::numbers::ln2);
    return excess * excess;
}

double Gain::worth(int value, int base_value) const {
    return saturating_worth(log_ratio(value, base_value), saturation);
}

double Gain::imbalance_loss(std::size_t stage, int width_before, int width) const {
    if (imbalance == 0.0 || stage == 0) return 0.0;
    const double coefficient = std::max(stages[stage - 1].width.value, stages[stage].width.value);
    return imbalance * std::max(0.0, coefficient) *
           parting_loss(log_ratio(width_before, base.widths[stage - 1]) -
                        log_ratio(width, base.widths[stage]));
}

double Gain::of(const ScalingChoice& choice) const {
    if (choice.widths.size() != stages.size() || choice.depths.size() != stages.size()) {
        throw InputError(
            "gain: the choice has another number of stages than the gain; both must be of one model");
    }
    double sum = 0.0;
    if (choice.resolution != base.resolution) {
        if (!resolution) {
            throw InputError(
                "gain: what resolution is worth is not known; keep the base's resolution, or give its "
                "coefficient in the sensitivity file");
        }
        sum += resolution->value * worth(choice.resolution, base.resolution);
    }
    for (std::size_t s = 0; s < stages.size(); ++s) {
        sum += stages[s].width.value * worth(choice.widths[s], base.widths[s]) +
               stages[s].depth.value * worth(choice.depths[s], base.depths[s]);
        if (s > 0) sum -= imbalance_loss(s, choice.widths[s - 1], choice.widths[s]);
    }
    if (choice.inner_widths.empty()) return sum;
    ScalingChoice following = choice;
    following.inner_widths.clear();
    const ModelSpec derived = scaled(model, following);
    for (std::size_t s = 0; s < stages.size(); ++s) {
        for (std::size_t block = 0; block < choice.inner_widths[s].size(); ++block) {
            sum += inner_gain(*this, s, static_cast<int>(block), choice.inner_widths[s][block],
                              derived.stages[s].inner_widths[block]);
        }
    }
    return sum;
}

Gain capacity_gain(const ModelSpec& base) {
    Gain gain;
    gain.base = choice_of(base);
    gain.model = base;
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        StageGain stage;
        stage.width = mean_slope(base, base.stages[s].width, max_layer_size,
                                 [s](ScalingChoice& choice, int value) { choice.widths[s] = value; });
        stage.depth = mean_slope(base, base.stages[s].depth, max_stage_depth,
                                 [s](ScalingChoice& choice, int value) { choice.depths[s] = value; });
        stage.inner = inner_slopes(base, s);
        gain.stages.push_back(stage);
    }
    gain.resolution = mean_slope(base, base.resolution, max_layer_size,
                                 [](ScalingChoice& choice, int value) { choice.resolution = value; });
    return gain;
}

Gain balanced_gain(const ModelSpec& base) {
    Gain gain = capacity_gain(base);
    gain.origin = GainOrigin::balanced;
    gain.saturation = usual_saturation;
    gain.imbalance = usual_imbalance;
    return gain;
}

Gain equal_weights_of(const Gain& gain) {
    Gain equal = equal_gain(gain.model);
    equal.saturation = gain.saturation;
    equal.imbalance = gain.imbalance;
    return equal;
}

Gain equal_gain(const ModelSpec& base) {
    Gain gain = capacity_gain(base);
    gain.origin = GainOrigin::equal;
    double width = 0.0;
    double depth = 0.0;
    double inner = 0.0;
    double free_blocks = 0.0;
    for (const StageGain& stage : gain.stages) {
        width += stage.width.value;
        depth += stage.depth.value;
        for (const double slope : stage.inner) {
            inner += slope;
            free_blocks += slope != 0.0 ? 1.0 : 0.0;
        }
    }
    const auto count = static_cast<double>(gain.stages.size());
    for (StageGain& stage : gain.stages) {
        stage.width = {width / count, 0.0};
        stage.depth = {depth / count, 0.0};
        for (double& slope : stage.inner) slope = slope != 0.0 ? inner / free_blocks : 0.0;
    }
    return gain;
}

namespace {

// `loss` is taken from each.
void set_option_gains(std::vector<BlockOption>& options, const Gain& gain, std::size_t stage, int block,
                      const std::vector<int>& inner_widths, double loss) {
    for (std::size_t option = 0; option < options.size(); ++option) {
        options[option].gain =
            quanta(inner_gain(gain, stage, block, inner_widths[option], inner_widths.front()) - loss);
    }
}

}  // namespace

void set_gains(ChainProblem& problem, const ScalingSpace& space, const Gain& gain) {
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        Chain& chain = problem.chains[c];
        ScalingChoice choice = gain.base;
        choice.resolution = space.resolutions[c];
        chain.gain_offset = quanta(gain.of(choice));
        for (std::size_t s = 0; s < chain.stages.size(); ++s) {
            ChainStage& stage = chain.stages[s];
            const StageGain& worth = gain.stages[s];
            const std::vector<int> before = s > 0 ? space.stages[s - 1].widths : std::vector<int>{0};
            for (int w = 0; w < stage.widths; ++w) {
                const int width = space.stages[s].widths[static_cast<std::size_t>(w)];
                const std::int64_t width_gain =
                    quanta(worth.width.value * gain.worth(width, gain.base.widths[s]));
                for (std::size_t d = 0; d < stage.depths.size(); ++d) {
                    const double depth_gain =
                        worth.depth.value * gain.worth(stage.depths[d], gain.base.depths[s]);
                    stage.gain[stage.gain_at(w, d)] = width_gain + quanta(depth_gain);
                }
                for (int p = 0; p < stage.previous_widths; ++p) {
                    const int width_before = before[static_cast<std::size_t>(p)];
                    set_option_gains(stage.first[stage.first_at(p, w)], gain, s, 0,
                                     space.inner.options(s, 0, width_before, width),
                                     gain.imbalance_loss(s, width_before, width));
                }
                for (int kind = 0; kind < stage.kind_count; ++kind) {
                    std::vector<BlockOption>& options = stage.further[stage.kind_at(w, kind)];
                    // A stage that never has a second block has no options for it.
                    if (stage.max_blocks() == 1) continue;
                    set_option_gains(options, gain, s, kind + 1,
                                     space.inner.options(s, kind + 1, before.front(), width), 0.0);
                }
            }
        }
    }
}

std::string_view name_of(GainOrigin origin) {
    switch (origin) {
        case GainOrigin::capacity:
            return "capacity";
        case GainOrigin::equal:
            return "equal";
        case GainOrigin::importance:
            return "importance";
        case GainOrigin::sensitivity:
            return "sensitivity";
        case GainOrigin::balanced:
            return "balanced";
    }
    throw InputError("gain: unknown origin");
}

}  // namespace hacscale
