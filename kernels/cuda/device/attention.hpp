// The products and shares of attention, NHWC: channel c of a map is a matrix of height x width whose elements are `channels`
// numbers apart. Neighbouring threads have neighbouring channels (heads), and then neighbouring columns.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

// ---- Products: for each channel, rows x inner by inner x columns ----

// One input's elements: where a step of a row, and one of a column, of its matrices leads, in elements.
struct MatrixWalk {
    std::int64_t row_step = 0;
    std::int64_t column_step = 0;
};

struct MatmulParams {
    const void* first = nullptr;
    const void* second = nullptr;
    void* output = nullptr;                          // [batch][rows][columns][channels]
    MatrixWalk first_walk;                           // by row of the output, by element of the sum
    MatrixWalk second_walk;                          // by element of the sum, by column of the output
    std::int64_t first_image = 0, second_image = 0;  // elements of an image
    int inner = 0;
    Divisor channels, columns;
    Divisor row_tiles;  // of `rows_a_thread` rows
    int rows = 0;
    int count = 0;  // threads with work
};

// A thread has one column of one channel, and some rows below each other, which share what it reads of the second input. Sums are
// in f32, in the order of the inner axis.
template <typename T>
struct MatmulKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    static constexpr int rows_a_thread = 4;
    using Shared = NothingShared;

    MatmulParams params;

    static constexpr int threads() { return max_threads; }
    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index < params.count) multiply(static_cast<int>(index));
    }

private:
    HACSCALE_HD void multiply(int rest) const {
        const int channel = params.channels.take(rest);
        const int column = params.columns.take(rest);
        const int first_row = params.row_tiles.take(rest) * rows_a_thread;
        const int image = rest;
        const int rows = params.rows - first_row < rows_a_thread ? params.rows - first_row : rows_a_thread;
        const T* first = static_cast<const T*>(params.first) + image * params.first_image + channel +
                         first_row * params.first_walk.row_step;
        const T* second = static_cast<const T*>(params.second) + image * params.second_image + channel +
                          column * params.second_walk.column_step;
        float sums[rows_a_thread] = {};
        for (int k = 0; k < params.inner; ++k) {
            const float factor = to_float(*second);
            HACSCALE_UNROLL
            for (int row = 0; row < rows_a_thread; ++row) {
                if (row < rows) sums[row] += factor * to_float(first[row * params.first_walk.row_step]);
            }
            first += params.first_walk.column_step;
            second += params.second_walk.row_step;
        }
        const int channels = params.channels.value();
        const std::int64_t row_elements = static_cast<std::int64_t>(params.columns.value()) * channels;
        T* to = static_cast<T*>(params.output) +
                (static_cast<std::int64_t>(image) * params.rows + first_row) * row_elements +
                static_cast<std::int64_t>(column) * channels + channel;
        HACSCALE_UNROLL
        for (int row = 0; row < rows_a_thread; ++row) {
            if (row < rows) to[row * row_elements] = from_float<T>(sums[row]);
        }
    }
};

template <typename Visit>
void with_matmul(const MatmulParams& params, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) { visit(MatmulKernel<decltype(element)>{params}); });
}

// ---- Shares: e^x over the sum of e^x, of the elements of a line ----

struct SoftmaxParams {
    const void* input = nullptr;
    void* output = nullptr;       // may be the input
    int elements = 0;             // of a line
    std::int64_t step = 0;        // between them
    std::int64_t line_step = 0;   // between lines of an image, of one channel
    std::int64_t image_step = 0;  // between images
    int lines = 0;                // of an image and channel
    int channels = 0;
    int tile = 1;       // channels of a block, next to each other: a power of two
    Divisor tiles;      // of all channels
    Divisor all_lines;  // of an image
    int batch = 0;
};

// A block has one line of a tile of channels; its threads share out the line's elements. Each keeps the largest of its own and
// their sum relative to it, so that a line is read once before it is written.
template <typename T>
struct SoftmaxKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 2;
    struct Shared {
        float largest[max_threads];
        float sums[max_threads];
    };

    SoftmaxParams params;

    static constexpr int threads() { return max_threads; }
    std::int64_t blocks() const { return std::int64_t{params.batch} * params.lines * params.tiles.value(); }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        int rest = block;
        const int channel = params.tiles.take(rest) * params.tile + thread % params.tile;
        const int line = params.all_lines.take(rest);
        const std::int64_t start = rest * params.image_step + line * params.line_step + channel;
        const bool valid = channel < params.channels;
        const T* in = static_cast<const T*>(params.input) + start;
        const int parts = max_threads / params.tile;
        const int first = thread / params.tile;
        if constexpr (Phase == 0) {
            float largest = lowest;
            float sum = 0.0F;
            for (int i = first; valid && i < params.elements; i += parts) {
                const float x = to_float(in[i * params.step]);
                if (x > largest) {
                    sum *= expf(largest - x);
                    largest = x;
                }
                sum += expf(x - largest);
            }
            shared.largest[thread] = largest;
            shared.sums[thread] = sum;
        } else {
            float largest = lowest;
            for (int part = 0; part < parts; ++part) {
                const float other = shared.largest[part * params.tile + thread % params.tile];
                largest = other > largest ? other : largest;
            }
            float sum = 0.0F;
            for (int part = 0; part < parts; ++part) {
                const int at = part * params.tile + thread % params.tile;
                sum += shared.sums[at] * expf(shared.largest[at] - largest);
            }
            T* const out = static_cast<T*>(params.output) + start;
            for (int i = first; valid && i < params.elements; i += parts) {
                out[i * params.step] = from_float<T>(expf(to_float(in[i * params.step]) - largest) / sum);
            }
        }
    }

private:
    // Finite, so that a thread without elements adds 0 times 0.
    static constexpr float lowest = -3.0e38F;
};

template <typename Visit>
void with_softmax(const SoftmaxParams& params, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) { visit(SoftmaxKernel<decltype(element)>{params}); });
}

}  // namespace hacscale::cuda
