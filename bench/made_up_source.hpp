// A made-up device for planners: latency rises in steps of 32 output and 16 input channels, with a fixed cost a layer and
// an irregularity of a few per cent that is the same each time.
#pragma once

#include "models/graph/latency_source.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::bench {

inline int next_multiple(int value, int step) {
    return (value + step - 1) / step * step;
}

inline double made_up_latency_us(const LayerSpec& layer) {
    LayerSpec stepped = layer;
    if (layer.depthwise()) {
        stepped.in_channels = stepped.out_channels = stepped.groups = next_multiple(layer.in_channels, 32);
    } else if (layer.kind == LayerKind::conv && layer.groups == 1) {
        stepped.in_channels = next_multiple(layer.in_channels, 16);
        stepped.out_channels = next_multiple(layer.out_channels, 32);
    }
    const LayerCost cost = cost_of(stepped, 1, DataType::f32);
    const double work_us = static_cast<double>(cost.macs) / 60e3 + static_cast<double>(cost.bytes) / 20e3;
    const double irregularity = static_cast<double>(LayerSpecHash{}(layer) % 1000) / 1000.0 - 0.5;
    return (2.0 + work_us) * (1.0 + 0.04 * irregularity);
}

class MadeUpSource : public LatencySource {
public:
    LatencyEstimate estimate(const LayerSpec& layer) const override {
        return {made_up_latency_us(layer), EstimateKind::measured};
    }
};

}  // namespace hacscale::bench
