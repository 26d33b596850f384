#include "harness/train/gain_ranks.hpp"

#include "scaling/gain.hpp"
#include "training/importance.hpp"

namespace hacscale::harness {

namespace {

std::optional<double> of_predictions(const Sensitivity& fit, const std::vector<double>& measured) {
    std::vector<double> predicted;
    for (const PredictionCheck& check : fit.held_out) {
        if (!check.predicted_points) {
            return std::nullopt;
        }
        predicted.push_back(*check.predicted_points);
    }
    return rank_correlation(predicted, measured);
}

std::optional<double> of_gain(const Gain& gain, const Sensitivity& fit, const std::vector<double>& measured) {
    std::vector<double> gains;
    for (const PredictionCheck& check : fit.held_out) {
        gains.push_back(gain.of(check.choice));
    }
    return rank_correlation(gains, measured);
}

}  // namespace

std::vector<GainRank> gain_ranks(const ModelSpec& base, const Sensitivity& fit) {
    std::vector<double> measured;
    for (const PredictionCheck& check : fit.held_out) {
        measured.push_back(check.points.mean);
    }
    return {{"sensitivity", of_predictions(fit, measured)},
            {"capacity", of_gain(capacity_gain(base), fit, measured)},
            {"equal", of_gain(equal_gain(base), fit, measured)}};
}

}  // namespace hacscale::harness
