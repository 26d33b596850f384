// A dense conv of few positions as a matrix product on the matrix units, with its bias, residual and activation: at
// batch 1 a library's tiles leave most multiprocessors idle, and its fused kernels do not cut the sum.
//
// Rows are positions, columns are outputs, and the sum goes over taps and channels in chunks of 32 channels. Operands
// go from memory to registers, without shared memory: few positions mean that little is used twice. The sum's order
// is free, so a thread takes eight neighbouring channels, 16 bytes, of each of its rows and columns, and calls the
// first, second, ... pair of them what multiply_add() wants to have in its words: the same on both sides.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/gemm_tiling.hpp"
#include "kernels/cuda/device/mma.hpp"

namespace hacscale::cuda {

struct GemmParams {
    const void* input = nullptr;     // [batch][in_height][in_width][channels]
    const void* weights = nullptr;   // [outputs][kernel][kernel][channels]
    const float* bias = nullptr;     // [outputs]
    const void* residual = nullptr;  // as the output; null adds none
    void* output = nullptr;          // [positions][outputs]
    int channels = 0;                // a multiple of 8, as are the outputs
    int outputs = 0;
    int positions = 0;  // of all images
    int in_height = 0;
    int in_width = 0;
    int stride = 1;
    int padding = 0;
    int chunks = 0;      // of the sum
    Divisor tap_chunks;  // in one tap's channels
    Divisor kernel;      // its side
    Divisor out_width;
    Divisor out_height;
    Activation activation = Activation::none;
    GemmTiling tiling;
};

// Window: the kernel is larger than one position.
template <typename T, int Rows, int Columns, bool Window>
struct GemmKernel {
    static constexpr int row_tiles = Rows / 16;
    static constexpr int column_tiles = Columns / 8;
    static constexpr int max_warps = gemm_max_warps({Rows, Columns});
    static constexpr int max_threads = max_warps * warp_lanes;
    static constexpr int min_blocks = 1;
    static constexpr int phases = 2;
    static constexpr unsigned warp_phases = 0b01;
    // Chunks whose operands are on their way while another is multiplied.
    static constexpr int ahead = row_tiles + column_tiles <= 3 ? 4 : 2;
    static constexpr int width = 8;  // outputs of an access
    struct Shared {
        alignas(16) float sums[max_warps][Rows][gemm_row_length(Columns)];
    };

    GemmParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.warps * warp_lanes; }

    template <int Phase>
    HACSCALE_HD void run_warp(Shared& shared, int block, const Warp& warp) const {
        multiply(shared.sums[warp.index()], params.tiling.place(block), warp);
    }
    template <int Phase>
    HACSCALE_HD void run(const Shared& shared, int block, int thread) const {
        const GemmTiling::Place place = params.tiling.place(block);
        constexpr int vectors = Columns / width;
        for (int i = thread; i < Rows * vectors; i += params.tiling.warps * warp_lanes) {
            finish(shared, place, i / vectors, i % vectors * width);
        }
    }

private:
    using Quad = Words<4>;  // eight elements
    // What one lane knows of its rows: where their windows begin. Rows beyond the last are above every image.
    struct RowPlaces {
        int offset[2 * row_tiles];
        int y[2 * row_tiles];
        int x[2 * row_tiles];
    };
    struct Operands {
        Lanes<Quad> left[2 * row_tiles];
        Lanes<Quad> right[column_tiles];
    };
    static constexpr int above_all = -(1 << 20);

    HACSCALE_HD static Quad load_quad(const T* from, bool inside) {
        const auto packet =
            load_or_zero<std::uint32_t, 4>(reinterpret_cast<const std::uint32_t*>(from), inside);
        return {{packet.values[0], packet.values[1], packet.values[2], packet.values[3]}};
    }

    HACSCALE_HD void place_row(int position, int row, RowPlaces& places) const {
        int rest = position;
        const int x = params.out_width.take(rest) * params.stride - params.padding;
        const int y = params.out_height.take(rest) * params.stride - params.padding;
        places.offset[row] = ((rest * params.in_height + y) * params.in_width + x) * params.channels;
        places.y[row] = position < params.positions ? y : above_all;
        places.x[row] = x;
    }

    HACSCALE_HD void load_operands(int chunk, const GemmTiling::Place& place, const Warp& warp,
                                   const Lanes<RowPlaces>& rows, Operands& to) const {
        int tap = chunk;
        const int first_channel = params.tap_chunks.take(tap) * gemm_chunk;
        int tap_y = 0;
        int tap_x = 0;
        if constexpr (Window) {
            tap_y = tap;
            tap_x = params.kernel.take(tap_y);
        }
        const int tap_offset = (tap_y * params.in_width + tap_x) * params.channels;
        const int sum_length = params.kernel.value() * params.kernel.value() * params.channels;
        warp.each_lane([&](int lane) {
            const int channel = first_channel + lane % 4 * 8;
            const bool inside = chunk < params.chunks && channel < params.channels;
            HACSCALE_UNROLL
            for (int i = 0; i < 2 * row_tiles; ++i) {
                const int y = rows[lane].y[i] + tap_y;
                const int x = rows[lane].x[i] + tap_x;
                const bool in_image =
                    Window ? static_cast<unsigned>(y) < static_cast<unsigned>(params.in_height) &&
                                 static_cast<unsigned>(x) < static_cast<unsigned>(params.in_width)
                           : y >= 0;
                to.left[i][lane] = load_quad(
                    static_cast<const T*>(params.input) + (rows[lane].offset[i] + tap_offset + channel),
                    inside && in_image);
            }
            HACSCALE_UNROLL
            for (int i = 0; i < column_tiles; ++i) {
                const int output = place.first_column + i * 8 + lane / 4;
                to.right[i][lane] = load_quad(static_cast<const T*>(params.weights) +
                                                  (output * sum_length + tap * params.channels + channel),
                                              inside && output < params.outputs);
            }
        });
    }

    // Half of a chunk: words 2 Half and 2 Half + 1 of each thread.
    template <int Half>
    HACSCALE_HD static void add_products(const Warp& warp, const Operands& operands,
                                         Lanes<Sums> (&sums)[row_tiles][column_tiles]) {
        HACSCALE_UNROLL
        for (int i = 0; i < row_tiles; ++i) {
            Lanes<Quad> left;
            warp.each_lane([&](int lane) {
                const Quad& upper = operands.left[2 * i][lane];
                const Quad& lower = operands.left[2 * i + 1][lane];
                left[lane] = {{upper.values[2 * Half], lower.values[2 * Half], upper.values[2 * Half + 1],
                               lower.values[2 * Half + 1]}};
            });
            HACSCALE_UNROLL
            for (int j = 0; j < column_tiles; ++j) {
                multiply_add<T, 2 * Half>(warp, left, operands.right[j], sums[i][j]);
            }
        }
    }

    HACSCALE_HD void multiply(float (&to)[Rows][gemm_row_length(Columns)], const GemmTiling::Place& place,
                              const Warp& warp) const {
        Lanes<RowPlaces> rows;
        Lanes<Sums> sums[row_tiles][column_tiles];
        warp.each_lane([&](int lane) {
            HACSCALE_UNROLL
            for (int i = 0; i < 2 * row_tiles; ++i) {
                place_row(place.first_row + i * 8 + lane / 4, i, rows[lane]);
            }
            HACSCALE_UNROLL
            for (int i = 0; i < row_tiles; ++i) {
                HACSCALE_UNROLL
                for (int j = 0; j < column_tiles; ++j) sums[i][j][lane] = Sums{};
            }
        });
        Operands operands[ahead];
        const int step = params.tiling.warps;
        HACSCALE_UNROLL
        for (int i = 0; i < ahead; ++i) {
            load_operands(warp.index() + i * step, place, warp, rows, operands[i]);
        }
        for (int chunk = warp.index(); chunk < params.chunks; chunk += ahead * step) {
            HACSCALE_UNROLL
            for (int i = 0; i < ahead; ++i) {
                add_products<0>(warp, operands[i], sums);
                add_products<1>(warp, operands[i], sums);
                load_operands(chunk + (ahead + i) * step, place, warp, rows, operands[i]);
            }
        }
        warp.each_lane([&](int lane) {
            HACSCALE_UNROLL
            for (int i = 0; i < row_tiles; ++i) {
                HACSCALE_UNROLL
                for (int j = 0; j < column_tiles; ++j) {
                    const Sums& mine = sums[i][j][lane];
                    float* row = &to[16 * i + lane / 4][8 * j + lane % 4 * 2];
                    store_floats<2>({mine.values[0], mine.values[1]}, row);
                    store_floats<2>({mine.values[2], mine.values[3]}, row + 8 * gemm_row_length(Columns));
                }
            }
        });
    }

    HACSCALE_HD void finish(const Shared& shared, const GemmTiling::Place& place, int row, int column) const {
        const int position = place.first_row + row;
        const int output = place.first_column + column;
        if (position >= params.positions || output >= params.outputs) return;
        const std::int64_t at = std::int64_t{position} * params.outputs + output;
        float values[width];
        load_floats(params.bias + output, values);
        for (int warp = 0; warp < params.tiling.warps; ++warp) {
            float sums[width];
            load_floats(&shared.sums[warp][row][column], sums);
            HACSCALE_UNROLL
            for (int i = 0; i < width; ++i) values[i] += sums[i];
        }
        if (params.residual != nullptr) {
            float residual[width];
            load(static_cast<const T*>(params.residual) + at, residual);
            HACSCALE_UNROLL
            for (int i = 0; i < width; ++i) values[i] += residual[i];
        }
        activate(params.activation, values);
        store(values, static_cast<T*>(params.output) + at);
    }
};

// Calls visit(kernel) with the kernel for the tiling's tile; `type` is f16 or bf16.
template <typename Visit>
void with_gemm(const GemmParams& params, DataType type, Visit&& visit) {
    const auto with_tile = [&](auto element, auto index) {
        constexpr GemmTile tile = gemm_tiles[decltype(index)::value];
        if (params.tiling.tile != tile) return;
        if (params.kernel.value() == 1) {
            visit(GemmKernel<decltype(element), tile.rows, tile.columns, false>{params});
        } else {
            visit(GemmKernel<decltype(element), tile.rows, tile.columns, true>{params});
        }
    };
    const auto with_type = [&](auto element) {
        with_tile(element, Constant<0>{});
        with_tile(element, Constant<1>{});
        with_tile(element, Constant<2>{});
        with_tile(element, Constant<3>{});
        with_tile(element, Constant<4>{});
    };
    static_assert(std::size(gemm_tiles) == 5);
    if (type == DataType::f16) with_type(__half{});
    if (type == DataType::bf16) with_type(__nv_bfloat16{});
}

}  // namespace hacscale::cuda
