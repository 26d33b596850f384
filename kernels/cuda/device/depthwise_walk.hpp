// Depthwise convolution for much work: a thread walks down the image and keeps what neighbouring rows share
// in registers.
//
// With many images, the kernel of depthwise.hpp is bound by instructions and not by memory: it converts every
// input anew for each output row, and the weights for each strip. Here a thread has two channels, a strip of
// four columns and `walk` output rows. It converts the weights once and each input once, adds an input row to
// all output rows that it belongs to, and asks for the next row before it computes with the one at hand.
#pragma once

#include "kernels/cuda/device/depthwise.hpp"

namespace hacscale::cuda {

constexpr int walk_channels = 2;  // of a thread
constexpr int walk_strip = 4;     // outputs of a thread along width
constexpr int walk_threads = 128;

// Kernel and Stride as in DepthwiseKernel, never 0. A row of params.tiling stands for `walk` output rows; its
// vectors are of two channels.
template <typename T, int Kernel, int Stride>
struct DepthwiseWalkKernel {
    static constexpr int max_threads = walk_threads;
    // All weights and sums in registers: 5x5 needs some 150 of them.
    static constexpr int min_blocks = Kernel > 3 ? 3 : 4;
    static constexpr int phases = 1;
    using Shared = NothingShared;
    using Cell = DepthwiseTiling::Cell;
    static constexpr int V = walk_channels;
    static constexpr int columns = (walk_strip - 1) * Stride + Kernel;  // of the input, for a strip
    static constexpr int open_rows = (Kernel + Stride - 1) / Stride;  // output rows that an input row adds to
    static constexpr int period = open_rows * Stride;  // input rows until sums are where they were

    DepthwiseParams params;
    int walk = 1;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const Cell cell = params.tiling.cell(block, thread);
        if (!cell.valid) return;
        Walk state(*this, cell);
        for (int first = 0; first < state.input_rows; first += period) {
            HACSCALE_UNROLL
            for (int u = 0; u < period; ++u) {
                if (first + u < state.input_rows) state.step(first + u, u);
            }
        }
    }

private:
    using Pair = Packet<T, V>;

    // One thread's work. Rows are counted from the first that the walk reads or writes.
    struct Walk {
        const DepthwiseWalkKernel& kernel;
        const Cell cell;
        const int first_output_row;
        const int output_rows;
        const int input_rows;         // what these need
        const int first_input_row;    // may lie above the image
        const int first_column;       // of the input; may lie left of it
        unsigned columns_inside = 0;  // a bit each
        float weights[Kernel][Kernel][V];
        float bias[V];
        float sums[open_rows][walk_strip][V];
        Pair inputs[columns];  // of the row that step() comes to next

        HACSCALE_HD Walk(const DepthwiseWalkKernel& of, const Cell& at)
            : kernel(of),
              cell(at),
              first_output_row(at.row * of.walk),
              output_rows(of.params.out_height - first_output_row < of.walk
                              ? of.params.out_height - first_output_row
                              : of.walk),
              input_rows((output_rows - 1) * Stride + Kernel),
              first_input_row(first_output_row * Stride - of.params.padding),
              first_column(at.column * Stride - of.params.padding) {
            const DepthwiseParams& params = kernel.params;
            HACSCALE_UNROLL
            for (int x = 0; x < columns; ++x) {
                const int column = first_column + x;
                if (column >= 0 && column < params.in_width) columns_inside |= 1U << x;
            }
            load_inputs(0);
            const T* weight = static_cast<const T*>(params.weights) + cell.vector * V;
            HACSCALE_UNROLL
            for (int tap = 0; tap < Kernel * Kernel; ++tap)
                load(weight + tap * params.channels, weights[tap / Kernel][tap % Kernel]);
            load_floats(params.bias + cell.vector * V, bias);
            HACSCALE_UNROLL
            for (int slot = 0; slot < open_rows; ++slot) start_sums(slot);
        }

        // Of the image; rows that the walk does not need are outside, too.
        HACSCALE_HD bool row_inside(int row) const {
            const int in_image = first_input_row + row;
            return row < input_rows && in_image >= 0 && in_image < kernel.params.in_height;
        }

        HACSCALE_HD void load_inputs(int row) {
            const DepthwiseParams& params = kernel.params;
            const bool inside = row_inside(row);
            const std::int64_t at =
                ((static_cast<std::int64_t>(cell.image) * params.in_height + first_input_row + row) *
                     params.in_width +
                 first_column) *
                    params.channels +
                cell.vector * V;
            HACSCALE_UNROLL
            for (int x = 0; x < columns; ++x) {
                inputs[x] = load_or_zero<T, V>(static_cast<const T*>(params.input) + at + x * params.channels,
                                               inside && (columns_inside >> x & 1U) != 0);
            }
        }

        HACSCALE_HD void start_sums(int slot) {
            HACSCALE_UNROLL
            for (int s = 0; s < walk_strip; ++s) {
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[slot][s][i] = bias[i];
            }
        }

        // Takes input row `row` in, and writes the output row that it completes. `turn`, known to the
        // compiler, is row modulo period, so that sums stay in registers.
        HACSCALE_HD void step(int row, int turn) {
            if (row_inside(row)) {
                float values[columns][V];
                HACSCALE_UNROLL
                for (int x = 0; x < columns; ++x) unpack(inputs[x], values[x]);
                load_inputs(row + 1);
                HACSCALE_UNROLL
                for (int k = turn % Stride; k < Kernel; k += Stride) {
                    add(values, k, slot_of(turn, k));
                }
            } else {
                load_inputs(row + 1);
            }
            constexpr int last = Kernel - 1;
            if (turn % Stride != last % Stride) return;
            const int slot = slot_of(turn, last);
            const int output_row = (row - last) / Stride;
            if (row >= last && output_row < output_rows) finish(output_row, slot);
            start_sums(slot);
        }

        // Of the output row that row `turn` meets with kernel row k.
        HACSCALE_HD static constexpr int slot_of(int turn, int k) {
            return ((turn - k) / Stride + (turn < k ? open_rows : 0)) % open_rows;
        }

        HACSCALE_HD void add(const float (&values)[columns][V], int k, int slot) {
            HACSCALE_UNROLL
            for (int s = 0; s < walk_strip; ++s) {
                HACSCALE_UNROLL
                for (int tap = 0; tap < Kernel; ++tap) {
                    HACSCALE_UNROLL
                    for (int i = 0; i < V; ++i)
                        sums[slot][s][i] += values[s * Stride + tap][i] * weights[k][tap][i];
                }
            }
        }

        HACSCALE_HD void finish(int output_row, int slot) {
            const DepthwiseParams& params = kernel.params;
            const std::int64_t at =
                ((static_cast<std::int64_t>(cell.image) * params.out_height + first_output_row + output_row) *
                     params.out_width +
                 cell.column) *
                    params.channels +
                cell.vector * V;
            if (params.residual != nullptr) {
                HACSCALE_UNROLL
                for (int s = 0; s < walk_strip; ++s) {
                    if (cell.column + s >= params.out_width) break;
                    float residual[V];
                    load(static_cast<const T*>(params.residual) + at + s * params.channels, residual);
                    HACSCALE_UNROLL
                    for (int i = 0; i < V; ++i) sums[slot][s][i] += residual[i];
                }
            }
            HACSCALE_UNROLL
            for (int s = 0; s < walk_strip; ++s) {
                if (cell.column + s >= params.out_width) break;
                activate(params.activation, sums[slot][s]);
                store(sums[slot][s], static_cast<T*>(params.output) + at + s * params.channels);
            }
        }
    };
};

inline bool depthwise_walkable(int kernel, int stride, int channels) {
    return depthwise_specialised(kernel, stride, channels % walk_channels == 0);
}

// Calls visit(kernel) with the instance for a conv that depthwise_walkable() names.
template <typename Visit>
void with_depthwise_walk(const DepthwiseParams& params, int walk, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) {
        using T = decltype(element);
        const auto with_stride = [&](auto side) {
            constexpr int kernel = decltype(side)::value;
            if (params.stride == 1)
                visit(DepthwiseWalkKernel<T, kernel, 1>{params, walk});
            else
                visit(DepthwiseWalkKernel<T, kernel, 2>{params, walk});
        };
        if (params.kernel == 3)
            with_stride(Constant<3>{});
        else
            with_stride(Constant<5>{});
    });
}

}  // namespace hacscale::cuda
