// Depthwise convolution over NHWC with fused bias, residual add and activation.
//
// Each output needs kernel^2 products and few bytes, so what counts is that every byte crosses from memory
// once and that many loads are in flight: all loads are of 16 bytes, a thread issues those of a whole kernel
// row together, and each input it holds is converted to float once and used for all outputs of its strip.
// There is no path of its own for sm_90: TMA would bring tiles to shared memory, but the rows that blocks
// share come from L1 and L2 already, and a tile's wait is longer than the whole kernel on small maps.
#pragma once

#include "kernels/cuda/device/depthwise_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

struct DepthwiseParams {
    const void* input = nullptr;     // [batch][in_height][in_width][channels]
    const void* weights = nullptr;   // [kernel][kernel][channels], in the tensors' data type
    const float* bias = nullptr;     // [channels]
    const void* residual = nullptr;  // as the output; null adds none
    void* output = nullptr;          // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0, out_height = 0, out_width = 0;
    int kernel = 0, stride = 1, padding = 0;
    Activation activation = Activation::none;
    DepthwiseTiling tiling;
};

// Kernel and Stride are compile-time constants, or 0 when they are only known at run time, and then Strip is
// 1. V channels a thread.
template <typename T, int V, int Kernel, int Stride, int Strip>
struct DepthwiseKernel {
    static_assert(Strip == 1 || (Kernel > 0 && Stride > 0));
    static constexpr int max_threads = depthwise_max_threads;
    static constexpr int min_blocks = 2;
    // Kernel rows whose loads go out together: all of them where latency counts, one where a row's loads
    // suffice to keep memory busy and more would not fit the registers.
    static constexpr int rows_together = Strip == 4 || Kernel > 3 ? 1 : Kernel;
    static constexpr int phases = 1;
    using Shared = NothingShared;
    using Cell = DepthwiseTiling::Cell;

    DepthwiseParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const Cell cell = params.tiling.cell(block, thread);
        if (!cell.valid) return;
        float sums[Strip][V];
        float bias[V];
        load_floats(params.bias + cell.vector * V, bias);
        HACSCALE_UNROLL
        for (int s = 0; s < Strip; ++s) {
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) sums[s][i] = bias[i];
        }
        if constexpr (Kernel > 0) {
            HACSCALE_UNROLL_BY(rows_together)
            for (int k = 0; k < Kernel; ++k) add_row(cell, k, sums);
        } else {
            for (int k = 0; k < params.kernel; ++k) add_row_at_run_time(cell, k, sums[0]);
        }
        finish(cell, sums);
    }

private:
    HACSCALE_HD const T* weights_of_row(const Cell& cell, int k) const {
        return static_cast<const T*>(params.weights) +
               static_cast<std::int64_t>(k) * params.kernel * params.channels + cell.vector * V;
    }
    // Where the input row begins that kernel row k reads, at the cell's channels.
    HACSCALE_HD const T* input_row(const Cell& cell, int row) const {
        return static_cast<const T*>(params.input) +
               (static_cast<std::int64_t>(cell.image) * params.in_height + row) * params.in_width *
                   params.channels +
               cell.vector * V;
    }

    HACSCALE_HD void add_row(const Cell& cell, int k, float (&sums)[Strip][V]) const {
        constexpr int columns = (Strip - 1) * Stride + Kernel;
        const int row = cell.row * Stride - params.padding + k;
        const bool row_inside = row >= 0 && row < params.in_height;
        const int first = cell.column * Stride - params.padding;
        const T* line = input_row(cell, row_inside ? row : 0);
        Packet<T, V> inputs[columns];
        HACSCALE_UNROLL
        for (int x = 0; x < columns; ++x) {
            const int column = first + x;
            const bool inside = row_inside && column >= 0 && column < params.in_width;
            inputs[x] =
                load_or_zero<T, V>(line + static_cast<std::int64_t>(column) * params.channels, inside);
        }
        const T* weight_row = weights_of_row(cell, k);
        float weights[Kernel][V];
        HACSCALE_UNROLL
        for (int x = 0; x < Kernel; ++x) load(weight_row + x * params.channels, weights[x]);
        HACSCALE_UNROLL
        for (int x = 0; x < columns; ++x) {
            float input[V];
            unpack(inputs[x], input);
            HACSCALE_UNROLL
            for (int s = 0; s < Strip; ++s) {
                const int tap = x - s * Stride;
                if (tap < 0 || tap >= Kernel) continue;
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[s][i] += input[i] * weights[tap][i];
            }
        }
    }

    HACSCALE_HD void add_row_at_run_time(const Cell& cell, int k, float (&sums)[V]) const {
        const int row = cell.row * params.stride - params.padding + k;
        if (row < 0 || row >= params.in_height) return;
        const T* line = input_row(cell, row);
        const T* weight_row = weights_of_row(cell, k);
        const int first = cell.column * params.stride - params.padding;
        for (int x = 0; x < params.kernel; ++x) {
            const int column = first + x;
            if (column < 0 || column >= params.in_width) continue;
            float input[V];
            float weights[V];
            load(line + static_cast<std::int64_t>(column) * params.channels, input);
            load(weight_row + static_cast<std::int64_t>(x) * params.channels, weights);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) sums[i] += input[i] * weights[i];
        }
    }

    HACSCALE_HD void finish(const Cell& cell, float (&sums)[Strip][V]) const {
        const std::int64_t at =
            ((static_cast<std::int64_t>(cell.image) * params.out_height + cell.row) * params.out_width +
             cell.column) *
                params.channels +
            cell.vector * V;
        HACSCALE_UNROLL
        for (int s = 0; s < Strip; ++s) {
            if (cell.column + s >= params.out_width) break;
            const std::int64_t here = at + static_cast<std::int64_t>(s) * params.channels;
            if (params.residual != nullptr) {
                float residual[V];
                load(static_cast<const T*>(params.residual) + here, residual);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[s][i] += residual[i];
            }
            activate(params.activation, sums[s]);
            store(sums[s], static_cast<T*>(params.output) + here);
        }
    }
};

// 3x3 and 5x5 at stride 1 and 2 have kernels of their own; so does every strip of theirs.
inline bool depthwise_specialised(int kernel, int stride, bool vectors) {
    return vectors && (kernel == 3 || kernel == 5) && (stride == 1 || stride == 2);
}

// Calls visit(kernel) with the specialised kernel of this side.
template <int Kernel, typename Visit>
void with_depthwise(const DepthwiseParams& params, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) {
        using T = decltype(element);
        const auto with_strip = [&](auto stride, auto strip) {
            visit(
                DepthwiseKernel<T, vector_width<T>, Kernel, decltype(stride)::value, decltype(strip)::value>{
                    params});
        };
        const auto with_stride = [&](auto stride) {
            if (params.tiling.strip == 4)
                with_strip(stride, Constant<4>{});
            else if (params.tiling.strip == 2)
                with_strip(stride, Constant<2>{});
            else
                with_strip(stride, Constant<1>{});
        };
        if (params.stride == 1)
            with_stride(Constant<1>{});
        else
            with_stride(Constant<2>{});
    });
}

// The same for the kernels of any side and stride.
template <typename Visit>
void with_depthwise_any(const DepthwiseParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(DepthwiseKernel<decltype(element), decltype(width)::value, 0, 0, 1>{params});
    });
}

}  // namespace hacscale::cuda
