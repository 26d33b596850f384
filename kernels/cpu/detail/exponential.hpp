// e^x for the hand-written kernels, in a form that becomes vectors.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {

// e^x = 2^n e^f with n the integer nearest to x / ln(2), which is taken off in two parts so that f is exact, and e^f by its
// Taylor polynomial (|f| < 0.35: the first term left out is below 2e-7).
HACSCALE_INLINE float exponential(float x) {
    constexpr float log2_e = 1.44269504F;
    constexpr float ln2_high = 0.693359375F;
    constexpr float ln2_low = -2.12194440e-4F;
    const float clipped = std::min(std::max(x, -87.0F), 88.0F);
    const float n = std::floor(clipped * log2_e + 0.5F);
    const float f = (clipped - n * ln2_high) - n * ln2_low;
    float power = 1.0F / 720.0F;
    power = power * f + 1.0F / 120.0F;
    power = power * f + 1.0F / 24.0F;
    power = power * f + 1.0F / 6.0F;
    power = power * f + 0.5F;
    power = power * f + 1.0F;
    power = power * f + 1.0F;
    const std::int32_t exponent = (static_cast<std::int32_t>(n) + 127) << 23;
    return power * std::bit_cast<float>(exponent);
}

}  // namespace hacscale::cpu
