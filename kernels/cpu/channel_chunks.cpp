#include "kernels/cpu/channel_chunks.hpp"

#include <algorithm>

#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

// Calls body with a compile-time width where the chunk is full, so that the compiler keeps it in registers.
template <typename Body>
HACSCALE_INLINE void with_width(int width, Body body) {
    if (width == max_block_channels) {
        body(max_block_channels);
    } else if (width == max_block_channels / 2) {
        body(max_block_channels / 2);
    } else {
        body(width);
    }
}

template <typename Element>
HACSCALE_INLINE void sum_pixels_in(const Element* in, std::ptrdiff_t stride, int pixels, int width,
                                   float* sums) {
    with_width(
        width, [&](const int columns) __attribute__((always_inline)) {
            // Two accumulators hide the latency of an addition.
            float even[max_block_channels] = {};
            float odd[max_block_channels] = {};
            int p = 0;
            for (; p + 1 < pixels; p += 2, in += 2 * stride) {
                for (int c = 0; c < columns; ++c) {
                    even[c] += static_cast<float>(in[c]);
                    odd[c] += static_cast<float>(in[stride + c]);
                }
            }
            if (p < pixels) {
                for (int c = 0; c < columns; ++c) even[c] += static_cast<float>(in[c]);
            }
            for (int c = 0; c < columns; ++c) sums[c] = even[c] + odd[c];
        });
}

template <typename Element>
HACSCALE_INLINE void scale_pixels_in(const Element* in, Element* out, std::ptrdiff_t stride, int pixels,
                                     int width, const float* factors) {
    with_width(
        width, [&](const int columns) __attribute__((always_inline)) {
            float own[max_block_channels];  // no output can be in their place
            for (int c = 0; c < columns; ++c) own[c] = factors[c];
            for (int p = 0; p < pixels; ++p, in += stride, out += stride) {
                for (int c = 0; c < columns; ++c) out[c] = Element(static_cast<float>(in[c]) * own[c]);
            }
        });
}

template <typename Element>
HACSCALE_INLINE void add_pixel_rows_in(const Element* in, int pixels, int channels, float* __restrict sums) {
    // Four pixels a pass: the sums are read and written once for four additions.
    int p = 0;
    for (; p + 3 < pixels; p += 4, in += 4 * static_cast<std::ptrdiff_t>(channels)) {
        const Element* second = in + channels;
        const Element* third = second + channels;
        const Element* fourth = third + channels;
        for (int c = 0; c < channels; ++c) {
            sums[c] += (static_cast<float>(in[c]) + static_cast<float>(second[c])) +
                       (static_cast<float>(third[c]) + static_cast<float>(fourth[c]));
        }
    }
    for (; p < pixels; ++p, in += channels) {
        for (int c = 0; c < channels; ++c) sums[c] += static_cast<float>(in[c]);
    }
}

template <typename Element>
HACSCALE_INLINE void scale_pixel_rows_in(const Element* in, Element* out, int pixels, int channels,
                                         const float* __restrict factors) {
    for (int p = 0; p < pixels; ++p, in += channels, out += channels) {
        for (int c = 0; c < channels; ++c) out[c] = Element(static_cast<float>(in[c]) * factors[c]);
    }
}

template <typename Element>
HACSCALE_INLINE void sum_squares_in(const Element* in, std::ptrdiff_t stride, int pixels, int width,
                                    const float* centers, float* sums) {
    with_width(
        width, [&](const int columns) __attribute__((always_inline)) {
            float total[max_block_channels] = {};
            for (int p = 0; p < pixels; ++p, in += stride) {
                for (int c = 0; c < columns; ++c) {
                    const float distance = static_cast<float>(in[c]) - centers[c];
                    total[c] += distance * distance;
                }
            }
            for (int c = 0; c < columns; ++c) sums[c] = total[c];
        });
}

template <typename Element>
HACSCALE_INLINE void add_square_rows_in(const Element* in, int pixels, int channels,
                                        const float* __restrict centers, float* __restrict sums) {
    for (int p = 0; p < pixels; ++p, in += channels) {
        for (int c = 0; c < channels; ++c) {
            const float distance = static_cast<float>(in[c]) - centers[c];
            sums[c] += distance * distance;
        }
    }
}

// A pixel's channels are activated while they are in the first cache.
template <typename Element>
HACSCALE_INLINE void scale_shift_pixel_rows_in(const Element* in, Element* out, int pixels, int channels,
                                               const float* __restrict scale, const float* __restrict shift,
                                               const ActivationStep& step) {
    constexpr int channels_a_step = 512;
    float values[channels_a_step];
    for (int p = 0; p < pixels; ++p) {
        for (int begin = 0; begin < channels; begin += channels_a_step) {
            const int count = std::min(channels_a_step, channels - begin);
            for (int c = 0; c < count; ++c) {
                values[c] = static_cast<float>(in[begin + c]) * scale[begin + c] + shift[begin + c];
            }
            if (step.activation != Activation::none) activate(step, values, static_cast<std::size_t>(count));
            for (int c = 0; c < count; ++c) out[begin + c] = Element(values[c]);
        }
        in += channels;
        out += channels;
    }
}

template <typename Element, typename Function>
HACSCALE_INLINE void affine_pixels_in(const Element* in, Element* out, std::ptrdiff_t stride, int pixels,
                                      int width, const float* scale, const float* shift, Function function) {
    with_width(
        width, [&](const int columns) __attribute__((always_inline)) {
            float scales[max_block_channels];  // no output can be in their place
            float shifts[max_block_channels];
            for (int c = 0; c < columns; ++c) {
                scales[c] = scale[c];
                shifts[c] = shift[c];
            }
            for (int p = 0; p < pixels; ++p, in += stride, out += stride) {
                for (int c = 0; c < columns; ++c) {
                    out[c] = Element(function(static_cast<float>(in[c]) * scales[c] + shifts[c]));
                }
            }
        });
}

template <typename Element>
HACSCALE_INLINE void scale_shift_pixels_in(const Element* in, Element* out, std::ptrdiff_t stride, int pixels,
                                           int width, const float* scale, const float* shift,
                                           const ActivationStep& step) {
    // relu and none, which networks use here most, need no second pass.
    if (step.activation == Activation::relu) {
        affine_pixels_in(in, out, stride, pixels, width, scale, shift,
                         [](float x) { return x > 0.0F ? x : 0.0F; });
        return;
    }
    if (step.activation == Activation::none) {
        affine_pixels_in(in, out, stride, pixels, width, scale, shift, [](float x) { return x; });
        return;
    }
    constexpr int pixels_a_step = 32;
    float values[pixels_a_step * max_block_channels];
    for (int begin = 0; begin < pixels; begin += pixels_a_step) {
        const int count = std::min(pixels_a_step, pixels - begin);
        for (int p = 0; p < count; ++p) {
            const Element* pixel = in + (begin + p) * stride;
            for (int c = 0; c < width; ++c) {
                values[p * width + c] = static_cast<float>(pixel[c]) * scale[c] + shift[c];
            }
        }
        activate(step, values, static_cast<std::size_t>(count) * width);
        for (int p = 0; p < count; ++p) {
            Element* pixel = out + (begin + p) * stride;
            for (int c = 0; c < width; ++c) pixel[c] = Element(values[p * width + c]);
        }
    }
}

}  // namespace

HACSCALE_PER_CPU
void sum_pixels(const float* in, std::ptrdiff_t stride, int pixels, int width, float* sums) {
    sum_pixels_in(in, stride, pixels, width, sums);
}
HACSCALE_PER_CPU
void sum_pixels(const BFloat16* in, std::ptrdiff_t stride, int pixels, int width, float* sums) {
    sum_pixels_in(in, stride, pixels, width, sums);
}
HACSCALE_PER_CPU
void scale_pixels(const float* in, float* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* factors) {
    scale_pixels_in(in, out, stride, pixels, width, factors);
}
HACSCALE_PER_CPU
void scale_pixels(const BFloat16* in, BFloat16* out, std::ptrdiff_t stride, int pixels, int width,
                  const float* factors) {
    scale_pixels_in(in, out, stride, pixels, width, factors);
}
HACSCALE_PER_CPU
void scale_shift_pixels(const float* in, float* out, std::ptrdiff_t stride, int pixels, int width,
                        const float* scale, const float* shift, const ActivationStep& step) {
    scale_shift_pixels_in(in, out, stride, pixels, width, scale, shift, step);
}
HACSCALE_PER_CPU
void scale_shift_pixels(const BFloat16* in, BFloat16* out, std::ptrdiff_t stride, int pixels, int width,
                        const float* scale, const float* shift, const ActivationStep& step) {
    scale_shift_pixels_in(in, out, stride, pixels, width, scale, shift, step);
}

HACSCALE_PER_CPU
void add_pixel_rows(const float* in, int pixels, int channels, float* sums) {
    add_pixel_rows_in(in, pixels, channels, sums);
}
HACSCALE_PER_CPU
void add_pixel_rows(const BFloat16* in, int pixels, int channels, float* sums) {
    add_pixel_rows_in(in, pixels, channels, sums);
}
HACSCALE_PER_CPU
void scale_pixel_rows(const float* in, float* out, int pixels, int channels, const float* factors) {
    scale_pixel_rows_in(in, out, pixels, channels, factors);
}
HACSCALE_PER_CPU
void scale_pixel_rows(const BFloat16* in, BFloat16* out, int pixels, int channels, const float* factors) {
    scale_pixel_rows_in(in, out, pixels, channels, factors);
}

HACSCALE_PER_CPU
void sum_squares(const float* in, std::ptrdiff_t stride, int pixels, int width, const float* centers,
                 float* sums) {
    sum_squares_in(in, stride, pixels, width, centers, sums);
}
HACSCALE_PER_CPU
void sum_squares(const BFloat16* in, std::ptrdiff_t stride, int pixels, int width, const float* centers,
                 float* sums) {
    sum_squares_in(in, stride, pixels, width, centers, sums);
}
HACSCALE_PER_CPU
void add_square_rows(const float* in, int pixels, int channels, const float* centers, float* sums) {
    add_square_rows_in(in, pixels, channels, centers, sums);
}
HACSCALE_PER_CPU
void add_square_rows(const BFloat16* in, int pixels, int channels, const float* centers, float* sums) {
    add_square_rows_in(in, pixels, channels, centers, sums);
}
HACSCALE_PER_CPU
void scale_shift_pixel_rows(const float* in, float* out, int pixels, int channels, const float* scale,
                            const float* shift, const ActivationStep& step) {
    scale_shift_pixel_rows_in(in, out, pixels, channels, scale, shift, step);
}
HACSCALE_PER_CPU
void scale_shift_pixel_rows(const BFloat16* in, BFloat16* out, int pixels, int channels, const float* scale,
                            const float* shift, const ActivationStep& step) {
    scale_shift_pixel_rows_in(in, out, pixels, channels, scale, shift, step);
}

// Partial sums of a dot product, which the compiler holds in vector registers without reordering any single
// sum.
constexpr int lanes = 16;

HACSCALE_PER_CPU
void dot4(const float* rows, std::ptrdiff_t stride, const float* x, int count, float sums[4]) {
    // Four rows keep four streams of memory reads going.
    float partial[4][lanes] = {};
    int i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int r = 0; r < 4; ++r) {
            for (int k = 0; k < lanes; ++k) partial[r][k] += rows[r * stride + i + k] * x[i + k];
        }
    }
    for (int r = 0; r < 4; ++r) {
        float sum = 0.0F;
        for (int k = i; k < count; ++k) sum += rows[r * stride + k] * x[k];
        for (const float part : partial[r]) sum += part;
        sums[r] = sum;
    }
}

HACSCALE_PER_CPU
float dot(const float* a, const float* b, int count) {
    float partial[lanes] = {};
    int i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (int k = 0; k < lanes; ++k) partial[k] += a[i + k] * b[i + k];
    }
    float sum = 0.0F;
    for (; i < count; ++i) sum += a[i] * b[i];
    for (const float part : partial) sum += part;
    return sum;
}

}  // namespace hacscale::cpu
