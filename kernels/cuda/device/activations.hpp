// All activations, with their parameter. The kernels of convs and linear layers apply the few of elements.hpp
// themselves; code for all of them would cost those kernels registers, so the others are a step behind the kernel
// (activated_layer.cpp). Kernels that only move tensors apply any.
#pragma once

#include "kernels/cuda/device/elements.hpp"

namespace hacscale::cuda {

struct ActivationStep {
    Activation kind = Activation::none;
    float alpha = 0.0F;  // of activations that have one (has_alpha)
};

inline ActivationStep activation_of(const LayerSpec& layer) {
    return {layer.activation, layer.alpha.value()};
}

// Whether the kernels of convs and linear layers apply it themselves.
constexpr bool is_fused_by_kernels(Activation activation) {
    return activation <= Activation::hard_sigmoid;
}

HACSCALE_HD float gelu(float x) {
    constexpr float one_over_root_of_two = 0.70710678F;
    return 0.5F * x * (1.0F + erff(x * one_over_root_of_two));
}
HACSCALE_HD float gelu_tanh(float x) {
    constexpr float root_of_two_over_pi = 0.79788456F;
    return 0.5F * x * (1.0F + tanhf(root_of_two_over_pi * (x + 0.044715F * x * x * x)));
}
// tanh(log(1 + w)) = n / (n + 2) with n = w (w + 2), where w = exp(x). Beyond 20 it is 1 in f32, and n stays finite
// below.
HACSCALE_HD float mish(float x) {
    if (x > 20.0F) return x;
    const float w = expf(x);
    const float n = w * (w + 2.0F);
    return x * (n / (n + 2.0F));
}
HACSCALE_HD float softplus(float x) {
    return x > 20.0F ? x : log1pf(expf(x));
}

// As with_activation(), for all activations.
template <typename Apply>
HACSCALE_HD void with_any_activation(const ActivationStep& step, Apply&& apply) {
    const float alpha = step.alpha;
    switch (step.kind) {
        case Activation::gelu:
            apply([](float x) { return gelu(x); });
            break;
        case Activation::gelu_tanh:
            apply([](float x) { return gelu_tanh(x); });
            break;
        case Activation::leaky_relu:
            apply([alpha](float x) { return x < 0.0F ? alpha * x : x; });
            break;
        case Activation::mish:
            apply([](float x) { return mish(x); });
            break;
        case Activation::softplus:
            apply([](float x) { return softplus(x); });
            break;
        case Activation::elu:
            apply([alpha](float x) { return x < 0.0F ? alpha * expm1f(x) : x; });
            break;
        case Activation::tanh:
            apply([](float x) { return tanhf(x); });
            break;
        default:
            with_activation<Precision::full>(step.kind, apply);
            break;
    }
}

template <int N>
HACSCALE_HD void activate(const ActivationStep& step, float (&values)[N]) {
    with_any_activation(step, [&values](auto function) {
        HACSCALE_UNROLL
        for (int i = 0; i < N; ++i) values[i] = function(values[i]);
    });
}

}  // namespace hacscale::cuda
