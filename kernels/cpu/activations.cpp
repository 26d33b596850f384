#include "kernels/cpu/activations.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/detail/exponential.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

HACSCALE_INLINE float clip_to_6(float x) {
    return std::min(std::max(x, 0.0F), 6.0F);
}

HACSCALE_INLINE float logistic(float x) {
    return 1.0F / (1.0F + exponential(-x));
}

HACSCALE_INLINE float hyperbolic_tangent(float x) {
    return 1.0F - 2.0F / (1.0F + exponential(2.0F * x));
}

// ln(1 + e^x) = max(x, 0) + ln(1 + y) with y = e^-|x|; the logarithm by the series of 2 artanh(y / (2 + y)), whose argument is
// at most 1/3.
HACSCALE_INLINE float soft_plus(float x) {
    const float y = exponential(-std::abs(x));
    const float s = y / (2.0F + y);
    const float square = s * s;
    float series = 1.0F / 11.0F;
    series = series * square + 1.0F / 9.0F;
    series = series * square + 1.0F / 7.0F;
    series = series * square + 1.0F / 5.0F;
    series = series * square + 1.0F / 3.0F;
    series = series * square + 1.0F;
    return std::max(x, 0.0F) + 2.0F * s * series;
}

// The share of the normal distribution below x, from erfc by formula 7.1.26 of Abramowitz and Stegun (error below 1.5e-7).
HACSCALE_INLINE float normal_share(float x) {
    const float z = std::abs(x) * 0.707106781F;
    const float t = 1.0F / (1.0F + 0.3275911F * z);
    float series = 1.061405429F;
    series = series * t - 1.453152027F;
    series = series * t + 1.421413741F;
    series = series * t - 0.284496736F;
    series = series * t + 0.254829592F;
    const float beyond = 0.5F * series * t * exponential(-z * z);
    return x < 0.0F ? beyond : 1.0F - beyond;
}

// x tanh(ln(1 + e^x)) without a logarithm.
HACSCALE_INLINE float mish_of(float x) {
    const float e = exponential(std::min(x, 20.0F));
    const float product = e * (e + 2.0F);
    return x * (product / (product + 2.0F));
}

template <typename Function>
HACSCALE_INLINE void apply(float* values, std::size_t count, Function function) {
    for (std::size_t i = 0; i < count; ++i) values[i] = function(values[i]);
}

}  // namespace

HACSCALE_PER_CPU
void activate(const ActivationStep& step, float* values, std::size_t count) {
    const float alpha = step.alpha;
    switch (step.activation) {
        case Activation::none:
            return;
        case Activation::relu:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return std::max(x, 0.0F); });
        case Activation::relu6:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return clip_to_6(x); });
        case Activation::silu:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return x * logistic(x); });
        case Activation::hard_swish:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) {
                    return x * clip_to_6(x + 3.0F) * (1.0F / 6.0F);
                });
        case Activation::sigmoid:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return logistic(x); });
        case Activation::hard_sigmoid:
            return apply(
                values, count,
                [](float x) __attribute__((always_inline)) { return clip_to_6(x + 3.0F) * (1.0F / 6.0F); });
        case Activation::gelu:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return x * normal_share(x); });
        case Activation::gelu_tanh:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) {
                    // (1 + tanh(a)) / 2 = logistic(2 a), with a = sqrt(2 / pi) (x + 0.044715 x^3)
                    return x * logistic(1.59576912F * (x + 0.044715F * x * x * x));
                });
        case Activation::leaky_relu:
            return apply(
                values, count, [alpha](float x) __attribute__((always_inline)) {
                    return std::max(x, 0.0F) + alpha * std::min(x, 0.0F);
                });
        case Activation::mish:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return mish_of(x); });
        case Activation::softplus:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return soft_plus(x); });
        case Activation::elu:
            return apply(
                values, count, [alpha](float x) __attribute__((always_inline)) {
                    return std::max(x, 0.0F) + alpha * (exponential(std::min(x, 0.0F)) - 1.0F);
                });
        case Activation::tanh:
            return apply(
                values, count, [](float x) __attribute__((always_inline)) { return hyperbolic_tangent(x); });
    }
}

bool keeps_zero(Activation activation) {
    return activation != Activation::sigmoid && activation != Activation::hard_sigmoid &&
           activation != Activation::softplus;
}

}  // namespace hacscale::cpu
