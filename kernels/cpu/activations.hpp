// Activations in f32, as the hand-written kernels apply them. Their results differ from the exact ones by less than 1e-6
// of the larger of 1 and the value.
#pragma once

#include <cstddef>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cpu {

// An activation with its parameter.
struct ActivationStep {
    Activation activation = Activation::none;
    float alpha = 0.0F;
};
inline ActivationStep activation_of(const LayerSpec& layer) {
    return {layer.activation, layer.alpha.value()};
}

// `count` neighbouring values in place, as vectors.
void activate(const ActivationStep& step, float* values, std::size_t count);

inline float activate(const ActivationStep& step, float value) {
    activate(step, &value, 1);
    return value;
}

// Whether it leaves zeros as they are, such as those in the padding of blocked tensors.
bool keeps_zero(Activation activation);

}  // namespace hacscale::cpu
