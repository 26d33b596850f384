// What oneDNN's convolutions and inner products do with the sums: residual add, activation, and, of layers that compute with
// integers, the way from integer sums to numbers and to the integers that are stored.
#pragma once

#include <vector>

#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/onednn.hpp"

namespace hacscale::cpu {

// The residual add, the activation and, for type i8, the scales of the layer; scratchpads are the caller's.
dnnl::primitive_attr fused_attributes(const LayerContext& context);

// How weights and sums of a layer of integers relate to numbers: an output is
// sum_factors[channel] * (sum of integer products) + bias_factor * bias, plus the scaled residual, activated.
struct IntegerScales {
    std::vector<float> weight_scales;  // one an output channel: what one step of its weights is
    std::vector<float> sum_factors;    // one an output channel
    float bias_factor = 1.0F;
};
IntegerScales integer_scales(const LayerContext& context);

// Weights as multiples of their channel's scale, not rounded yet, and the bias as the primitive adds it.
LayerWeights in_steps(const LayerWeights& weights, const IntegerScales& scales);

}  // namespace hacscale::cpu
