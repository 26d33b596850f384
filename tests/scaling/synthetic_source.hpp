// A made-up device: latency rises in steps of 32 output and 16 input channels, with a fixed cost a layer and
// an irregularity of a few per cent that is the same each time.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "models/graph/latency_source.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/model_spec.hpp"
#include "scaling/context.hpp"

namespace hacscale::testing {

class SyntheticSource : public LatencySource {
public:
    using Predicate = std::function<bool(const LayerSpec&)>;

    SyntheticSource() = default;
    // `missing` says which layers the table lacks; `interpolated` which ones it only estimates.
    explicit SyntheticSource(Predicate missing, Predicate interpolated = nullptr)
        : missing_(std::move(missing)), interpolated_(std::move(interpolated)) {}

    LatencyEstimate estimate(const LayerSpec& layer) const override {
        if (missing_ && missing_(layer)) return {};
        const bool interpolated = interpolated_ && interpolated_(layer);
        return {latency_us(layer), interpolated ? EstimateKind::interpolated : EstimateKind::measured};
    }

    static double latency_us(const LayerSpec& layer) {
        LayerSpec stepped = layer;
        if (layer.kind == LayerKind::conv && layer.groups == 1) {
            stepped.in_channels = round_up(layer.in_channels, 16);
            stepped.out_channels = round_up(layer.out_channels, 32);
        } else if (layer.depthwise()) {
            stepped.in_channels = stepped.out_channels = stepped.groups = round_up(layer.in_channels, 32);
        }
        const LayerCost cost = cost_of(stepped, 1, DataType::f32);
        const double work_us = static_cast<double>(cost.macs) / 60e3 + static_cast<double>(cost.bytes) / 20e3;
        const double irregularity = static_cast<double>(LayerSpecHash{}(layer) % 1000) / 1000.0 - 0.5;
        return (2.0 + work_us) * (1.0 + 0.04 * irregularity);
    }

private:
    static int round_up(int value, int step) { return (value + step - 1) / step * step; }

    Predicate missing_;
    Predicate interpolated_;
};

// One score a channel, the same each time.
inline ChannelScores made_up_scores(const ModelSpec& base, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    ChannelScores scores;
    for (const StageSpec& stage : base.stages) {
        std::vector<double>& channels = scores.widths.emplace_back();
        for (int i = 0; i < stage.width; ++i) channels.push_back(static_cast<double>(1 + random() % 1000));
    }
    return scores;
}

}  // namespace hacscale::testing
