// The vector code, compiled once for each instruction set (sources.cmake), which sets
//   HACSCALE_WINOGRAD_KERNELS   the table it becomes: winograd_baseline, winograd_avx2 (with FMA), winograd_avx512
//   HACSCALE_WINOGRAD_NAME      "baseline", "avx2", "avx512"
//   HACSCALE_WINOGRAD_LANES     floats of a vector
//   HACSCALE_WINOGRAD_ROWS      tiles that a matrix product computes at a time: with two vectors each, the sums fill
//                               most of the registers
// All functions have internal linkage and use nothing of the standard library: code of a newer instruction set must not
// become that of a function that other sources share.
#include "kernels/cpu/winograd/winograd.hpp"

#include <omp.h>

namespace hacscale::cpu {
namespace {

constexpr int lanes = HACSCALE_WINOGRAD_LANES;
constexpr int rows = HACSCALE_WINOGRAD_ROWS;

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
// A vector as memory has it. Values are of the aligned type: GCC 14 for Arm cannot pass this one.
using StoredVector = float __attribute__((vector_size(lanes * sizeof(float)), aligned(alignof(float))));
constexpr int panel = 2 * lanes;

#define HACSCALE_INLINE inline __attribute__((always_inline))

HACSCALE_INLINE Vector load(const float* from) {
    return *reinterpret_cast<const StoredVector*>(from);
}
HACSCALE_INLINE void store(float* to, Vector value) {
    *reinterpret_cast<StoredVector*>(to) = value;
}
HACSCALE_INLINE Vector all(float value) {
    return value - Vector{};
}
HACSCALE_INLINE Vector clip(Vector value, Vector low, Vector high) {
    value = value < low ? low : value;
    return value > high ? high : value;
}

HACSCALE_INLINE int smaller(int a, int b) {
    return a < b ? a : b;
}
HACSCALE_INLINE int divide_up(int a, int b) {
    return (a + b - 1) / b;
}

// ---- The transforms, of one row or column; `Outputs` is m ----

template <int Outputs>
HACSCALE_INLINE void transform_input(const Vector* d, Vector* t, int step) {
    if constexpr (Outputs == 4) {
        const Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
                     d5 = d[5 * step];
        const Vector even = d4 - 4.0F * d2, odd = d3 - 4.0F * d1;
        const Vector near_even = d4 - d2, near_odd = 2.0F * (d3 - d1);
        t[0] = 4.0F * d0 - 5.0F * d2 + d4;
        t[step] = even + odd;
        t[2 * step] = even - odd;
        t[3 * step] = near_even + near_odd;
        t[4 * step] = near_even - near_odd;
        t[5 * step] = 4.0F * d1 - 5.0F * d3 + d5;
    } else {
        const Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
        t[0] = d0 - d2;
        t[step] = d1 + d2;
        t[2 * step] = d2 - d1;
        t[3 * step] = d1 - d3;
    }
}

template <int Outputs>
HACSCALE_INLINE void transform_output(const Vector* m, int step, Vector* o, int out_step) {
    if constexpr (Outputs == 4) {
        const Vector m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step],
                     m5 = m[5 * step];
        const Vector sum = m1 + m2, difference = m1 - m2, far_sum = m3 + m4, far_difference = m3 - m4;
        o[0] = m0 + sum + far_sum;
        o[out_step] = difference + 2.0F * far_difference;
        o[2 * out_step] = sum + 4.0F * far_sum;
        o[3 * out_step] = difference + 8.0F * far_difference + m5;
    } else {
        const Vector m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step];
        o[0] = m0 + m1 + m2;
        o[out_step] = m1 - m2 - m3;
    }
}

// ---- Where tiles and channels are ----

struct Tile {
    int image, row, column;  // of the first output
};

template <int Outputs>
HACSCALE_INLINE Tile tile_at(const WinogradConv& conv, int index) {
    const int across = divide_up(conv.out.width, Outputs);
    const int down = divide_up(conv.out.height, Outputs);
    return {index / (across * down), index / across % down * Outputs, index % across * Outputs};
}

HACSCALE_INLINE std::ptrdiff_t offset_of(const TensorView& view, int image, int channel) {
    return image * view.image + channel / view.block * view.block_stride + channel % view.block;
}

HACSCALE_INLINE Vector load_channels(const float* from, int channels) {
    if (channels >= lanes) return load(from);
    Vector value = {};
    for (int c = 0; c < channels; ++c) value[c] = from[c];
    return value;
}
HACSCALE_INLINE void store_channels(float* to, Vector value, int channels) {
    if (channels >= lanes) return store(to, value);
    for (int c = 0; c < channels; ++c) to[c] = value[c];
}

// Channels that are stored from this one on: a blocked tensor's last block is filled with zeros.
HACSCALE_INLINE int stored_from(const TensorView& view, int channel) {
    const int stored =
        view.block_stride == 0 ? view.channels : divide_up(view.channels, view.block) * view.block;
    return stored - channel;
}

// ---- The steps ----

// Channels channel to channel + lanes of one tile, to transformed[point][tile][channel].
template <int Outputs>
HACSCALE_INLINE void transform_tile(const WinogradConv& conv, const float* input, int index, int channel,
                                    float* transformed, std::ptrdiff_t point_stride) {
    constexpr int side = Outputs + 2;
    const Tile tile = tile_at<Outputs>(conv, index);
    const int top = tile.row - conv.padding;
    const int left = tile.column - conv.padding;
    const std::ptrdiff_t row_stride = conv.in.width * conv.in.pixel;
    const float* from =
        input + offset_of(conv.in, tile.image, channel) + top * row_stride + left * conv.in.pixel;
    const int channels = stored_from(conv.in, channel);
    const bool inside = top >= 0 && left >= 0 && top + side <= conv.in.height && left + side <= conv.in.width;
    Vector d[side * side];
    if (inside && channels >= lanes) {
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) d[y * side + x] = load(from + y * row_stride + x * conv.in.pixel);
        }
    } else {
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                const bool real =
                    top + y >= 0 && top + y < conv.in.height && left + x >= 0 && left + x < conv.in.width;
                d[y * side + x] =
                    real ? load_channels(from + y * row_stride + x * conv.in.pixel, channels) : Vector{};
            }
        }
    }
    for (int x = 0; x < side; ++x) transform_input<Outputs>(d + x, d + x, side);
    for (int y = 0; y < side; ++y) transform_input<Outputs>(d + y * side, d + y * side, 1);
    for (int p = 0; p < side * side; ++p) store(transformed + p * point_stride, d[p]);
}

// products[row][panel] = sum over k of transformed[row][k] * weights[k][panel], for Rows rows.
template <int Rows>
HACSCALE_INLINE void multiply_rows(const float* transformed, std::ptrdiff_t row_stride, const float* weights,
                                   int count, float* products) {
    Vector sums[Rows][2] = {};
    for (int k = 0; k < count; ++k, weights += panel) {
        const Vector first = load(weights);
        const Vector second = load(weights + lanes);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r) {
            const Vector value = all(transformed[r * row_stride + k]);
            sums[r][0] += value * first;
            sums[r][1] += value * second;
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
        store(products + r * panel, sums[r][0]);
        store(products + r * panel + lanes, sums[r][1]);
    }
}

template <int Rows>
HACSCALE_INLINE void multiply_up_to(int wanted, const float* transformed, std::ptrdiff_t row_stride,
                                    const float* weights, int count, float* products) {
    if (wanted == Rows) {
        multiply_rows<Rows>(transformed, row_stride, weights, count, products);
    } else if constexpr (Rows > 1) {
        multiply_up_to<Rows - 1>(wanted, transformed, row_stride, weights, count, products);
    }
}

// One tile's outputs of one vector of channels.
template <int Outputs>
HACSCALE_INLINE void finish_tile(const WinogradConv& conv, const float* products, std::ptrdiff_t point_stride,
                                 int index, int channel, const float* bias, float* output) {
    constexpr int side = Outputs + 2;
    const int channels = stored_from(conv.out, channel);
    if (channels <= 0) return;
    Vector m[side * side];
    for (int p = 0; p < side * side; ++p) m[p] = load(products + p * point_stride);
    Vector half[Outputs * side];
    for (int x = 0; x < side; ++x) transform_output<Outputs>(m + x, side, half + x, side);
    Vector o[Outputs * Outputs];
    for (int y = 0; y < Outputs; ++y) transform_output<Outputs>(half + y * side, 1, o + y * Outputs, 1);
    const Tile tile = tile_at<Outputs>(conv, index);
    const std::ptrdiff_t row_stride = conv.out.width * conv.out.pixel;
    float* to = output + offset_of(conv.out, tile.image, channel) + tile.row * row_stride +
                tile.column * conv.out.pixel;
    const Vector shift = load(bias + channel);
    const Vector low = all(conv.low), high = all(conv.high);
    const int height = smaller(Outputs, conv.out.height - tile.row);
    const int width = smaller(Outputs, conv.out.width - tile.column);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            float* place = to + y * row_stride + x * conv.out.pixel;
            Vector value = o[y * Outputs + x] + shift;
            if (conv.add_to_output) value += load_channels(place, channels);
            store_channels(place, clip(value, low, high), channels);
        }
    }
}

// All output channels of one panel for `count` transformed tiles, of which the first is tile `first`.
template <int Outputs>
void compute_panel(const WinogradConv& conv, const float* transformed, int first, int count, int which,
                   const float* weights, const float* bias, float* output, float* products) {
    constexpr int points = (Outputs + 2) * (Outputs + 2);
    const int padded_in = divide_up(conv.in.channels, lanes) * lanes;
    const std::ptrdiff_t point_weights = static_cast<std::ptrdiff_t>(conv.in.channels) * panel;
    weights += which * points * point_weights;
    const int groups = divide_up(count, rows);
    for (int p = 0; p < points; ++p) {
        const float* from = transformed + static_cast<std::ptrdiff_t>(p) * count * padded_in;
        float* to = products + static_cast<std::ptrdiff_t>(p) * count * panel;
        // Groups of nearly equal size: one of a single row would take as long as one of four.
        for (int g = 0; g < groups; ++g) {
            const int begin = count * g / groups;
            multiply_up_to<rows>(count * (g + 1) / groups - begin,
                                 from + static_cast<std::ptrdiff_t>(begin) * padded_in, padded_in,
                                 weights + p * point_weights, conv.in.channels,
                                 to + static_cast<std::ptrdiff_t>(begin) * panel);
        }
    }
    const std::ptrdiff_t point_stride = static_cast<std::ptrdiff_t>(count) * panel;
    for (int t = 0; t < count; ++t) {
        for (int half = 0; half < 2; ++half) {
            finish_tile<Outputs>(conv, products + t * panel + half * lanes, point_stride, first + t,
                                 which * panel + half * lanes, bias, output);
        }
    }
}

template <int Outputs>
void run_tiles(const WinogradConv& conv, const float* input, const float* weights, const float* bias,
               float* output, float* scratch) {
    constexpr int points = (Outputs + 2) * (Outputs + 2);
    const int padded_in = divide_up(conv.in.channels, lanes) * lanes;
    const int panels = divide_up(conv.out.channels, panel);
    const int tiles = conv.batch * divide_up(conv.out.height, Outputs) * divide_up(conv.out.width, Outputs);
    const int at_once = conv.share_channels ? tiles : conv.tiles_a_block;
    const std::ptrdiff_t transformed_size = static_cast<std::ptrdiff_t>(points) * at_once * padded_in;
    const std::ptrdiff_t products_size = static_cast<std::ptrdiff_t>(points) * at_once * panel;
#pragma omp parallel num_threads(conv.threads)
    {
        const int thread = omp_get_thread_num();
        if (conv.share_channels) {
            const int chunks = padded_in / lanes;
            float* products = scratch + transformed_size + thread * products_size;
            // A thread's share is of channels, which are side by side in cache lines.
#pragma omp for schedule(static)
            for (int c = 0; c < chunks; ++c) {
                for (int t = 0; t < tiles; ++t) {
                    transform_tile<Outputs>(conv, input, t, c * lanes,
                                            scratch + static_cast<std::ptrdiff_t>(t) * padded_in + c * lanes,
                                            static_cast<std::ptrdiff_t>(tiles) * padded_in);
                }
            }
#pragma omp for schedule(static)
            for (int which = 0; which < panels; ++which)
                compute_panel<Outputs>(conv, scratch, 0, tiles, which, weights, bias, output, products);
        } else {
            float* transformed = scratch + thread * (transformed_size + products_size);
            float* products = transformed + transformed_size;
            const int blocks = divide_up(tiles, at_once);
#pragma omp for schedule(static)
            for (int b = 0; b < blocks; ++b) {
                const int first = b * at_once;
                const int count = smaller(at_once, tiles - first);
                for (int t = 0; t < count; ++t) {
                    for (int c = 0; c < padded_in; c += lanes) {
                        transform_tile<Outputs>(conv, input, first + t, c,
                                                transformed + static_cast<std::ptrdiff_t>(t) * padded_in + c,
                                                static_cast<std::ptrdiff_t>(count) * padded_in);
                    }
                }
                for (int which = 0; which < panels; ++which) {
                    compute_panel<Outputs>(conv, transformed, first, count, which, weights, bias, output,
                                           products);
                }
            }
        }
    }
}

void run(const WinogradConv& conv, const float* input, const float* weights, const float* bias, float* output,
         float* scratch) {
    if (conv.outputs == 4) {
        run_tiles<4>(conv, input, weights, bias, output, scratch);
    } else {
        run_tiles<2>(conv, input, weights, bias, output, scratch);
    }
}

}  // namespace

const WinogradKernels HACSCALE_WINOGRAD_KERNELS{HACSCALE_WINOGRAD_NAME, lanes, panel, rows, run};

}  // namespace hacscale::cpu
