#include "kernels/cpu/conv_plans.hpp"

#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hacscale::cpu {
namespace {

constexpr std::size_t lanes = 16;

void silu_portable(float* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) values[i] = values[i] / (1.0F + std::exp(-values[i]));
}

#if defined(__x86_64__)

// exp(-x) = 2^n 2^f with n the nearest integer to -x log2(e): the power of the fraction by its Taylor
// polynomial (the first term left out is below 1.2e-7), the quotient by the reciprocal estimate and one
// Newton step, because the division instruction alone takes longer than everything else here.
__attribute__((target("avx512f"))) void silu_avx512(float* values, std::size_t count) {
    const __m512 minus_log2e = _mm512_set1_ps(-1.44269504F);
    const __m512 limit = _mm512_set1_ps(126.0F);
    const __m512 one = _mm512_set1_ps(1.0F);
    const __m512 two = _mm512_set1_ps(2.0F);
    const __m512 c1 = _mm512_set1_ps(0.693147181F);  // ln(2)^k / k!
    const __m512 c2 = _mm512_set1_ps(0.240226507F);
    const __m512 c3 = _mm512_set1_ps(0.0555041087F);
    const __m512 c4 = _mm512_set1_ps(0.00961812911F);
    const __m512 c5 = _mm512_set1_ps(0.00133335581F);
    const __m512 c6 = _mm512_set1_ps(0.000154035304F);
    for (std::size_t i = 0; i < count; i += lanes) {
        const __mmask16 mask =
            count - i >= lanes ? __mmask16{0xFFFF} : static_cast<__mmask16>((1U << (count - i)) - 1U);
        const __m512 x = _mm512_maskz_loadu_ps(mask, values + i);
        __m512 t = _mm512_mul_ps(x, minus_log2e);
        t = _mm512_max_ps(_mm512_min_ps(t, limit), _mm512_sub_ps(_mm512_setzero_ps(), limit));
        const __m512 n = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        const __m512 f = _mm512_sub_ps(t, n);
        __m512 power = _mm512_fmadd_ps(c6, f, c5);
        power = _mm512_fmadd_ps(power, f, c4);
        power = _mm512_fmadd_ps(power, f, c3);
        power = _mm512_fmadd_ps(power, f, c2);
        power = _mm512_fmadd_ps(power, f, c1);
        power = _mm512_fmadd_ps(power, f, one);
        const __m512 denominator = _mm512_add_ps(one, _mm512_scalef_ps(power, n));
        const __m512 estimate = _mm512_rcp14_ps(denominator);
        const __m512 reciprocal = _mm512_mul_ps(estimate, _mm512_fnmadd_ps(denominator, estimate, two));
        _mm512_mask_storeu_ps(values + i, mask, _mm512_mul_ps(x, reciprocal));
    }
}

#endif

using Kernel = void (*)(float*, std::size_t);

Kernel kernel_for_this_cpu() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return silu_avx512;
#endif
    return silu_portable;
}

}  // namespace

void silu_in_place(float* values, std::size_t count) {
    static const Kernel kernel = kernel_for_this_cpu();
    // Blocks of a few cache lines, so that shares begin at a line.
    constexpr std::size_t block = 16 * lanes;
    const std::size_t blocks = (count + block - 1) / block;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (std::size_t b = 0; b < blocks; ++b) {
            const std::size_t begin = b * block;
            kernel(values + begin, begin + block <= count ? block : count - begin);
        }
    }
}

}  // namespace hacscale::cpu
