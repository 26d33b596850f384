#include "training/importance.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.hpp"

namespace hacscale {

std::string_view name_of(ImportanceMeasure measure) {
    switch (measure) {
        case ImportanceMeasure::taylor:
            return "taylor";
        case ImportanceMeasure::fisher:
            return "fisher";
        case ImportanceMeasure::growth:
            return "growth";
    }
    throw InputError("importance: unknown measure");
}

std::string_view unit_of(ImportanceMeasure measure) {
    return measure == ImportanceMeasure::growth
               ? "nats per unit of learning rate, per natural logarithm of width"
               : "nats";
}

ImportanceMeasure importance_measure_from_name(std::string_view name) {
    for (const auto measure :
         {ImportanceMeasure::taylor, ImportanceMeasure::fisher, ImportanceMeasure::growth}) {
        if (name == name_of(measure)) return measure;
    }
    throw InputError(fmt::format("the measure is '{}', expected taylor, fisher or growth", name));
}

std::vector<LayerImportance> over_batches(const std::vector<std::string>& layers,
                                          const std::vector<std::vector<LayerFigures>>& figures) {
    std::vector<LayerImportance> result;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        std::vector<double> of_layer;
        LayerImportance summary{layers[layer]};
        for (const auto& batch : figures) {
            const LayerFigures& one = batch[layer];
            of_layer.push_back(one.importance);
            summary.channels.resize(one.channels.size(), 0.0);
            const auto batches = static_cast<double>(figures.size());
            for (std::size_t c = 0; c < one.channels.size(); ++c)
                summary.channels[c] += one.channels[c] / batches;
            summary.whole += one.whole / batches;
        }
        const MeanAndDeviation figure = mean_and_deviation(of_layer);
        summary.mean = figure.mean;
        summary.deviation = figure.deviation.value_or(0.0);
        result.push_back(std::move(summary));
    }
    return result;
}

namespace {

std::vector<double> ranks_of(const std::vector<double>& values) {
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    std::vector<double> ranks(values.size());
    for (std::size_t begin = 0; begin < order.size();) {
        std::size_t end = begin;
        while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
        for (std::size_t i = begin; i < end; ++i) {
            ranks[order[i]] = 0.5 * static_cast<double>(begin + end - 1);
        }
        begin = end;
    }
    return ranks;
}

}  // namespace

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
    MeanAndDeviation result;
    if (values.empty()) return result;
    const auto count = static_cast<double>(values.size());
    result.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    if (values.size() < 2) return result;
    double squares = 0.0;
    for (const double value : values) squares += (value - result.mean) * (value - result.mean);
    result.deviation = std::sqrt(squares / (count - 1.0));
    return result;
}

std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size()) throw InputError("a rank correlation needs two lists of the same length");
    if (a.size() < 3) return std::nullopt;
    const std::vector<double> ranks_a = ranks_of(a);
    const std::vector<double> ranks_b = ranks_of(b);
    const double mean = 0.5 * static_cast<double>(a.size() - 1);
    double product = 0.0;
    double square_a = 0.0;
    double square_b = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += (ranks_a[i] - mean) * (ranks_b[i] - mean);
        square_a += (ranks_a[i] - mean) * (ranks_a[i] - mean);
        square_b += (ranks_b[i] - mean) * (ranks_b[i] - mean);
    }
    if (square_a == 0.0 || square_b == 0.0) return std::nullopt;
    return product / std::sqrt(square_a * square_b);
}

}  // namespace hacscale
