#include "scaling/gain.hpp"

#include <cmath>

#include "base/error.hpp"
#include "models/network.hpp"

namespace hacscale {
namespace {

double ln_capacity(const ModelSpec& base, const ScalingChoice& choice) {
    const Network network = lower(scaled(base, choice));
    return 0.5 *
           (std::log(static_cast<double>(network.params())) + std::log(static_cast<double>(network.macs())));
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

}  // namespace

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
        sum += resolution->value * log_ratio(choice.resolution, base.resolution);
    }
    for (std::size_t s = 0; s < stages.size(); ++s) {
        sum += stages[s].width.value * log_ratio(choice.widths[s], base.widths[s]) +
               stages[s].depth.value * log_ratio(choice.depths[s], base.depths[s]);
    }
    return sum;
}

Gain capacity_gain(const ModelSpec& base) {
    Gain gain;
    gain.base = choice_of(base);
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        StageGain stage;
        stage.width = mean_slope(base, base.stages[s].width, max_layer_size,
                                 [s](ScalingChoice& choice, int value) { choice.widths[s] = value; });
        stage.depth = mean_slope(base, base.stages[s].depth, max_stage_depth,
                                 [s](ScalingChoice& choice, int value) { choice.depths[s] = value; });
        gain.stages.push_back(stage);
    }
    gain.resolution = mean_slope(base, base.resolution, max_layer_size,
                                 [](ScalingChoice& choice, int value) { choice.resolution = value; });
    return gain;
}

Gain equal_gain(const ModelSpec& base) {
    Gain gain = capacity_gain(base);
    gain.origin = GainOrigin::equal;
    double width = 0.0;
    double depth = 0.0;
    for (const StageGain& stage : gain.stages) {
        width += stage.width.value;
        depth += stage.depth.value;
    }
    const auto count = static_cast<double>(gain.stages.size());
    for (StageGain& stage : gain.stages) stage = {{width / count, 0.0}, {depth / count, 0.0}};
    return gain;
}

void set_gains(ChainProblem& problem, const ScalingSpace& space, const Gain& gain) {
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        Chain& chain = problem.chains[c];
        ScalingChoice choice = gain.base;
        choice.resolution = space.resolutions[c];
        chain.gain_offset = quanta(gain.of(choice));
        for (std::size_t s = 0; s < chain.stages.size(); ++s) {
            ChainStage& stage = chain.stages[s];
            for (int w = 0; w < stage.widths; ++w) {
                const int width = space.stages[s].widths[static_cast<std::size_t>(w)];
                const double width_gain = gain.stages[s].width.value * log_ratio(width, gain.base.widths[s]);
                for (int d = 0; d < stage.depths; ++d) {
                    const int depth = space.stages[s].depths[static_cast<std::size_t>(d)];
                    const double depth_gain =
                        gain.stages[s].depth.value * log_ratio(depth, gain.base.depths[s]);
                    stage.gain[stage.body(w, d)] = quanta(width_gain) + quanta(depth_gain);
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
    }
    throw InputError("gain: unknown origin");
}

}  // namespace hacscale
