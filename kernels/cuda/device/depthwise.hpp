// Depthwise convolution over NHWC with fused bias, residual add and activation, on the units of scalar
// arithmetic: any data type, any side, any device. depthwise_tensor.hpp has those for matrix units.
//
// Each output has kernel^2 products and few bytes, and what bounds these kernels is the number of instructions
// (README.md): all accesses are of 16 bytes, each input that a thread holds is converted to float once and used for
// all outputs of its strip, what does not change from row to row is computed once, and the loads of several kernel
// rows are in flight together.
#pragma once

#include "kernels/cuda/device/depthwise_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

// A window whose height and width may differ in all.
struct AnyWindow {
    int kernel_height = 0, kernel_width = 0;
    int stride_height = 1, stride_width = 1;
    int top = 0, left = 0;  // padding
    int dilation_height = 1, dilation_width = 1;
};

struct DepthwiseParams {
    const void* input = nullptr;     // [batch][in_height][in_width][channels]
    const void* weights = nullptr;   // [kernel height][kernel width][channels], in the tensors' data type
    const float* bias = nullptr;     // [channels]
    const void* residual = nullptr;  // as the output; null adds none
    void* output = nullptr;          // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0, out_height = 0, out_width = 0;
    int stride = 1, padding = 0;  // of the specialised kernels, whose windows are square
    AnyWindow window;             // of the others
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
    // Kernel rows that are unrolled, so that the loads of the next go out before the sums of this one. Five
    // rows of a strip of four do not fit the registers.
    static constexpr int rows_together = Kernel == 5 && Strip == 4 ? 1 : Kernel;
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
            add_window(cell, sums);
        } else {
            for (int k = 0; k < params.window.kernel_height; ++k) add_row_at_run_time(cell, k, sums[0]);
        }
        finish(cell, sums);
    }

private:
    static constexpr int columns = Kernel > 0 ? (Strip - 1) * Stride + Kernel : 1;  // that a strip reads

    HACSCALE_HD const T* weights_of(const Cell& cell) const {
        return static_cast<const T*>(params.weights) + cell.vector * V;
    }
    // The cell's channels of this input position, which need not be inside the image.
    HACSCALE_HD const T* input_at(const Cell& cell, int row, int column) const {
        return static_cast<const T*>(params.input) + cell.vector * V +
               ((static_cast<std::int64_t>(cell.image) * params.in_height + row) * params.in_width + column) *
                   params.channels;
    }

    // What does not change from row to row is known before the first: which columns are inside, and how far
    // the next row is.
    HACSCALE_HD void add_window(const Cell& cell, float (&sums)[Strip][V]) const {
        const int first_row = cell.row * Stride - params.padding;
        const int first_column = cell.column * Stride - params.padding;
        unsigned inside = 0;
        HACSCALE_UNROLL
        for (int x = 0; x < columns; ++x) {
            if (static_cast<unsigned>(first_column + x) < static_cast<unsigned>(params.in_width)) {
                inside |= 1U << x;
            }
        }
        const T* line = input_at(cell, first_row, first_column);
        const T* weights = weights_of(cell);
        const std::int64_t line_step = static_cast<std::int64_t>(params.in_width) * params.channels;
        HACSCALE_UNROLL_BY(rows_together)
        for (int k = 0; k < Kernel; ++k) {
            const bool row_inside =
                static_cast<unsigned>(first_row + k) < static_cast<unsigned>(params.in_height);
            add_row(line, row_inside ? inside : 0U, weights, sums);
            line += line_step;
            weights += Kernel * params.channels;
        }
    }

    // `inside` has a bit for each column.
    HACSCALE_HD void add_row(const T* line, unsigned inside, const T* weight_row,
                             float (&sums)[Strip][V]) const {
        Packet<T, V> inputs[columns];
        HACSCALE_UNROLL
        for (int x = 0; x < columns; ++x) {
            inputs[x] = load_or_zero<T, V>(line + static_cast<std::int64_t>(x) * params.channels,
                                           (inside & 1U << x) != 0);
        }
        float weights[Kernel][V];
        HACSCALE_UNROLL
        for (int x = 0; x < Kernel; ++x) {
            load(weight_row + static_cast<std::int64_t>(x) * params.channels, weights[x]);
        }
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
        const AnyWindow& window = params.window;
        const int row = cell.row * window.stride_height - window.top + k * window.dilation_height;
        if (row < 0 || row >= params.in_height) return;
        const T* line = input_at(cell, row, 0);
        const T* weight_row =
            weights_of(cell) + static_cast<std::int64_t>(k) * window.kernel_width * params.channels;
        const int first = cell.column * window.stride_width - window.left;
        for (int x = 0; x < window.kernel_width; ++x) {
            const int column = first + x * window.dilation_width;
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
        if (params.residual != nullptr) {
            HACSCALE_UNROLL
            for (int s = 0; s < Strip; ++s) {
                if (cell.column + s >= params.out_width) break;
                float residual[V];
                load(static_cast<const T*>(params.residual) + at +
                         static_cast<std::int64_t>(s) * params.channels,
                     residual);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[s][i] += residual[i];
            }
        }
        // One switch for the whole strip: a kernel for each activation would save less than one instruction in
        // a hundred more.
        with_activation<precision_for<T>>(params.activation, [&sums](auto function) {
            HACSCALE_UNROLL
            for (int s = 0; s < Strip; ++s) {
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[s][i] = function(sums[s][i]);
            }
        });
        HACSCALE_UNROLL
        for (int s = 0; s < Strip; ++s) {
            if (cell.column + s >= params.out_width) break;
            store(sums[s],
                  static_cast<T*>(params.output) + at + static_cast<std::int64_t>(s) * params.channels);
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
            if (params.tiling.strip == 4) {
                with_strip(stride, Constant<4>{});
            } else if (params.tiling.strip == 2) {
                with_strip(stride, Constant<2>{});
            } else {
                with_strip(stride, Constant<1>{});
            }
        };
        if (params.stride == 1) {
            with_stride(Constant<1>{});
        } else {
            with_stride(Constant<2>{});
        }
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
