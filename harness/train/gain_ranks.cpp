#include "harness/train/gain_ranks.hpp"

#include <cmath>

#include "scaling/gain.hpp"
#include "training/importance.hpp"

namespace hacscale::harness {

namespace {

using Predictions = std::optional<std::vector<double>>;

std::vector<double> measured_points(const std::vector<PredictionCheck>& checks) {
    std::vector<double> points;
    for (const PredictionCheck& check : checks) {
        points.push_back(check.points.mean);
    }
    return points;
}

// Nothing where one is missing.
Predictions predictions(const std::vector<PredictionCheck>& checks) {
    std::vector<double> points;
    for (const PredictionCheck& check : checks) {
        if (!check.predicted_points) {
            return std::nullopt;
        }
        points.push_back(*check.predicted_points);
    }
    return points;
}

std::optional<double> mean_error(const std::vector<double>& predicted, const std::vector<double>& measured) {
    if (measured.empty()) {
        return std::nullopt;
    }
    double sum = 0.0;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        sum += std::abs(predicted[i] - measured[i]);
    }
    return sum / static_cast<double>(measured.size());
}

GainRank rank_of_predictions(const Sensitivity& fit, const std::vector<double>& measured) {
    const Predictions predicted = predictions(fit.held_out);
    if (!predicted) {
        return {"sensitivity", std::nullopt};
    }
    return {"sensitivity", rank_correlation(*predicted, measured), mean_error(*predicted, measured)};
}

GainRank rank_of_gain(const std::string& name, const Gain& gain, const Sensitivity& fit,
                      const std::vector<double>& measured) {
    double product = 0.0;
    double square = 0.0;
    for (const PredictionCheck& check : fit.combinations) {
        const double of_choice = gain.of(check.choice);
        product += of_choice * check.points.mean;
        square += of_choice * of_choice;
    }
    std::vector<double> gains;
    for (const PredictionCheck& check : fit.held_out) {
        gains.push_back(gain.of(check.choice));
    }
    GainRank rank{name, rank_correlation(gains, measured)};
    if (square > 0.0) {
        std::vector<double> points = gains;
        for (double& point : points) {
            point *= product / square;
        }
        rank.mean_error = mean_error(points, measured);
    }
    return rank;
}

}  // namespace

std::vector<GainRank> gain_ranks(const ModelSpec& base, const Sensitivity& fit) {
    const std::vector<double> measured = measured_points(fit.held_out);
    return {rank_of_predictions(fit, measured), rank_of_gain("capacity", capacity_gain(base), fit, measured),
            rank_of_gain("equal", equal_gain(base), fit, measured)};
}

}  // namespace hacscale::harness
