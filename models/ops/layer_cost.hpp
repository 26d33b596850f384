// The cost twin of a layer: what it computes and moves, from its shape alone, with no device.
// Definitions: docs/method.md, "Quantities".
#pragma once

#include <cstdint>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

struct LayerCost {
    std::int64_t macs = 0;    // multiplies of conv and linear parts, squeeze-excite's two products included
    std::int64_t params = 0;  // numbers held at inference: weights and biases of the folded layer
    std::int64_t activations = 0;  // elements of the output
    std::int64_t bytes = 0;        // each input, weight and output once, at the given batch and data type

    std::int64_t flops() const { return 2 * macs; }
    LayerCost& operator+=(const LayerCost& other);
};

// Weights that inputs are multiplied with: no biases, shifts or batch-norms. A scale_shift has its scales.
std::int64_t product_weights(const LayerSpec& layer);

// For layers without a fault (fault_of); a larger one could overflow. macs and activations are for the whole
// batch.
LayerCost cost_of(const LayerSpec& layer, int batch, DataType type);

}  // namespace hacscale
