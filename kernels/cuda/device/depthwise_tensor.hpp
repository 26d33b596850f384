// Depthwise convolution on matrix units, f16 and bf16, 3x3 and 5x5 at stride 1 and 2, with the bias, residual add
// and activation of depthwise.hpp. Channels are a multiple of 8; it needs compute capability 8.0.
//
// A product of 16 positions x 16 numbers with 16 x 8 weights is two taps of eight channels: the left matrix is two
// inputs side by side at each position, straight from a tile in shared memory (a row of it is 16 bytes, wherever
// they are, so strides cost nothing), the right one has the weights of both taps on its two diagonals and zeros
// elsewhere. Seven of eight products are with zeros, and matrix units have the room: what bounded the kernels of
// depthwise.hpp is the number of instructions, and here one does the work of eight.
//
// A warp walks down the rows of its tile. The inputs of a row are read from shared memory once and added to all
// output rows that are open, three or five at stride 1; weights stay in registers for the whole walk.
//
// Its property: zero times infinity is not a number, so an input that is not finite spoils the eight channels of
// its vector at the outputs whose windows have it, where the other kernels spoil its own channel only. Finite
// inputs up to the greatest of their type are as exact as there: products are exact in f32 and sums are in f32.
#pragma once

#include <type_traits>
#include <utility>

#include "kernels/cuda/device/block_memory.hpp"
#include "kernels/cuda/device/depthwise_tensor_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/mma_k8.hpp"

namespace hacscale::cuda {

struct DepthwiseTensorParams {
    const void* input = nullptr;             // [batch][in_height][in_width][channels]
    const std::uint32_t* weights = nullptr;  // [channels][padded_taps(kernel)], see depthwise_tensor_word()
    const float* bias = nullptr;             // [channels]
    const void* residual = nullptr;          // as the output; null adds none
    void* output = nullptr;                  // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0, out_height = 0, out_width = 0;
    int padding = 0;
    Activation activation = Activation::none;
    DepthwiseTensorTiling tiling;
};

// Taps of a channel as they are stored: a multiple of 16 bytes of words.
HACSCALE_HD constexpr int padded_taps(int kernel) {
    return ceil_div(kernel * kernel, 4) * 4;
}
// Where a tap is among them. Words of taps that are multiplied together are in neighbouring registers whose first is
// even, as the instruction wants them: first all pairs of taps, row by row, then the last of each row.
HACSCALE_HD constexpr int tap_word(int kernel, int row, int column) {
    return column < kernel - 1 ? row * (kernel - 1) + column : kernel * (kernel - 1) + row;
}
// A weight as the word of the right matrix that has it: in the half that its channel's place is, beside a zero.
template <typename T>
std::uint32_t depthwise_tensor_word(float weight, int channel) {
    const T value = from_float<T>(weight);
    std::uint16_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    return channel % 2 == 0 ? bits : static_cast<std::uint32_t>(bits) << 16;
}

// Calls body(Constant<0>{}), body(Constant<1>{}) ... in this order.
template <int Count, typename Body>
HACSCALE_HD void for_constants(Body&& body) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
        (body(Constant<I>{}), ...);
    }
    (std::make_integer_sequence<int, Count>{});
}

template <typename T, int Kernel, int Stride>
struct DepthwiseTensorKernel {
    static constexpr int max_threads = depthwise_tensor_threads;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 2;
    static constexpr unsigned warp_phases = 0b10;
    // As much as the tile has, so that a multiprocessor holds many blocks of small tiles.
    using Shared = BlockMemory;
    static constexpr bool clustered = false;

    DepthwiseTensorParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.warps() * warp_lanes; }
    std::size_t shared_bytes() const {
        return static_cast<std::size_t>(params.tiling.packets()) * vector_bytes;
    }

    // Copies the tile's inputs to shared memory, zeros for those beyond the image and beyond the channels. A thread
    // has one vector of one column and every row_lanes-th row.
    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const DepthwiseTensorTiling& tiling = params.tiling;
        const auto tile = tiling.tile(block);
        const int rows = tiling.staged_rows();
        const int first_row = tile.row * Stride - params.padding;
        const std::int64_t row_elements = static_cast<std::int64_t>(params.in_width) * params.channels;
        const int row_lanes = tiling.row_lanes.value();
        const std::int64_t from_step = row_lanes * row_elements;
        const int to_step = row_lanes * tiling.row_packets();
        const int slots = tiling.staged_vectors.value() * tiling.staged_columns.value() * row_lanes;
        AsyncCopies copies;
        for (int slot = thread; slot < slots; slot += tiling.warps() * warp_lanes) {
            int row = slot;
            const int vector = tiling.staged_vectors.take(row);
            const int column = tiling.staged_columns.take(row);
            const int in_column = tile.column * Stride - params.padding + column;
            const bool inside = static_cast<unsigned>(in_column) < static_cast<unsigned>(params.in_width) &&
                                tile.first_vector + vector < tiling.vectors;
            const T* from =
                static_cast<const T*>(params.input) +
                (static_cast<std::int64_t>(tile.image) * params.in_height + first_row + row) * row_elements +
                static_cast<std::int64_t>(in_column) * params.channels + (tile.first_vector + vector) * 8;
            Packet<T, 8>* to = shared.at<Packet<T, 8>>(0) + row * tiling.row_packets() +
                               tiling.position_of(column) * tiling.position_packets() + vector;
            const int count = tiling.row_lanes.quotient(rows - row + row_lanes - 1);
            int in_row = first_row + row;
            HACSCALE_UNROLL_BY(4)
            for (int i = 0; i < count; ++i) {
                copies.copy(
                    to, from,
                    inside && static_cast<unsigned>(in_row) < static_cast<unsigned>(params.in_height));
                in_row += row_lanes;
                from += from_step;
                to += to_step;
            }
        }
        copies.commit();
        copies.wait<0>();
    }

    template <int Phase>
    HACSCALE_HD void run_warp(const Shared& shared, int block, const Warp& warp) const {
        const auto tile = params.tiling.tile(block);
        for (int unit = warp_uniform(warp.index()); unit < params.tiling.units();
             unit += params.tiling.warps()) {
            walk(shared, tile, unit, warp);
        }
    }

private:
    static constexpr int open_rows = ceil_div(Kernel, Stride);  // outputs that one input row belongs to
    static constexpr int tap_pairs = Kernel / 2;
    using Weights = Lanes<Words<padded_taps(Kernel)>>;
    using Tile = DepthwiseTensorTiling::Tile;

    // What the lanes of a warp know about its unit.
    struct Walk {
        // Where the next row's first pair of taps is read, in packets: for lane 8 m + i, matrix m of
        // load_matrices() and output column i of its group.
        Lanes<int> at;
        Lanes<int> output[2];     // what the lane stores next, in elements, in either half
        Lanes<int> rows_left[2];  // of which rows are in the image; 0 where the column does not
        bool second;              // whether the pair has a second vector
        Lanes<Sums> bias[pair_vectors];
        Weights weights[pair_vectors];
        Lanes<Sums> open[pair_vectors][open_rows];  // youngest first
    };

    HACSCALE_HD void walk(const Shared& shared, const Tile& tile, int unit, const Warp& warp) const {
        const DepthwiseTensorTiling& tiling = params.tiling;
        int rest = unit;
        const int pair = tiling.pairs.take(rest);
        const DepthwiseTensorTiling::Half halves[2] = {tiling.half(2 * rest), tiling.half(2 * rest + 1)};
        const int first_row = tile.row + halves[0].band * tiling.band_rows;
        const int vector = tile.first_vector + pair * pair_vectors;
        if (vector >= tiling.vectors || first_row >= params.out_height) return;
        Walk state;
        state.second = vector + 1 < tiling.vectors;
        warp.each_lane([&](int lane) {
            const DepthwiseTensorTiling::Half read = lane / 8 % 2 == 0 ? halves[0] : halves[1];
            const int position = read.group * group_columns + lane % 8;
            const int tap = lane / 16;
            state.at[lane] =
                read.band * tiling.band_rows * Stride * tiling.row_packets() +
                (position + (Stride == 1 ? tap : tiling.position_of(tap))) * tiling.position_packets() +
                pair * pair_vectors;
            HACSCALE_UNROLL
            for (int h = 0; h < 2; ++h) {
                const int column = tile.column + halves[h].group * group_columns + lane / 4;
                const int row = tile.row + halves[h].band * tiling.band_rows;
                const int below = params.out_height - row;
                state.rows_left[h][lane] = halves[h].valid && column < params.out_width ? below : 0;
                state.output[h][lane] =
                    ((tile.image * params.out_height + row) * params.out_width + column) * params.channels +
                    vector * 8 + stored_channel(lane);
            }
        });
        load_weights(vector, warp, state);
        for_constants<open_rows - 1>(
            [&](auto step) { add_rows<decltype(step)::value + 1>(shared, warp, state); });
        const int left = params.out_height - first_row;
        const int rows = left < tiling.band_rows ? left : tiling.band_rows;
        for (int row = 0; row < rows; ++row) {
            add_rows<open_rows>(shared, warp, state);
            finish(row, warp, state);
        }
    }

    HACSCALE_HD void load_weights(int first_vector, const Warp& warp, Walk& state) const {
        HACSCALE_UNROLL
        for (int v = 0; v < pair_vectors; ++v) {
            const bool there = v == 0 || state.second;
            warp.each_lane([&](int lane) {
                const int channel = (first_vector + v) * 8;
                // Of each matrix a lane has two rows of one column, and on the diagonal only where they cross.
                const bool diagonal = lane / 8 == lane % 4;
                const std::uint32_t* from = params.weights + (channel + lane / 4) * padded_taps(Kernel);
                HACSCALE_UNROLL
                for (int i = 0; i < padded_taps(Kernel); i += 4) {
                    const auto words = load_or_zero<std::uint32_t, 4>(from + i, there && diagonal);
                    HACSCALE_UNROLL
                    for (int j = 0; j < 4; ++j) state.weights[v][lane].values[i + j] = words.values[j];
                }
                float two[2] = {0.0F, 0.0F};
                if (there) load_floats(params.bias + channel + 2 * (lane % 4), two);
                state.bias[v][lane] = Sums{{two[0], two[1], two[0], two[1]}};
            });
        }
    }

    // One more output row is open, and the input rows that are the first to belong to it are added to all `Open`:
    // one at stride 1; at stride 2 the one before, too, which belongs to all but the youngest.
    template <int Open>
    HACSCALE_HD void add_rows(const Shared& shared, const Warp& warp, Walk& state) const {
        if constexpr (Stride == 2 && Open > 1) add_row<Open, 1>(shared, warp, state);
        add_row<Open, 0>(shared, warp, state);
    }

    // An input row that is kernel row Stride * age - Before of the open output of this age.
    template <int Open, int Before>
    HACSCALE_HD void add_row(const Shared& shared, const Warp& warp, Walk& state) const {
        const int packets_to_next_pair = (Stride == 1 ? 2 : 1) * params.tiling.position_packets();
        for_constants<pair_vectors>([&](auto v) {
            constexpr int vector = decltype(v)::value;
            for_constants<tap_pairs + 1>([&](auto p) {
                constexpr int taps = decltype(p)::value;
                // The last tap has none beside it.
                Lanes<Words<(taps < tap_pairs ? 4 : 2)>> inputs;
                Lanes<const void*> rows;
                warp.each_lane([&](int lane) {
                    rows[lane] =
                        shared.at<Packet<T, 8>>(0) + state.at[lane] + taps * packets_to_next_pair + vector;
                });
                load_matrices(warp, rows, inputs);
                for_constants<Open>([&](auto d) {
                    constexpr int age = Open - 1 - decltype(d)::value;
                    constexpr int kernel_row = Stride * age - Before;
                    if constexpr (kernel_row >= 0) {
                        // The first product of an output at this step takes over the sums of the place before,
                        // so the oldest come first; the youngest begins with the bias.
                        constexpr bool first = taps == 0 && (age == 0 || Before == Stride - 1);
                        Lanes<Sums>(&open)[open_rows] = state.open[vector];
                        const Lanes<Sums>& sums = !first     ? open[age]
                                                  : age == 0 ? state.bias[vector]
                                                             : open[age > 0 ? age - 1 : 0];
                        multiply_add_to<T, tap_word(Kernel, kernel_row, 2 * taps)>(
                            warp, inputs, state.weights[vector], sums, open[age]);
                    }
                });
            });
        });
        warp.each_lane([&](int lane) { state.at[lane] += params.tiling.row_packets(); });
    }

    // The oldest output row is complete. Lanes side by side swap words, so that each stores 8 bytes, and the four of
    // a position one sector: even lanes have four channels of the first vector, odd ones of the second.
    HACSCALE_HD void finish(int row, const Warp& warp, Walk& state) const {
        Lanes<Sums>* done[pair_vectors] = {&state.open[0][open_rows - 1], &state.open[1][open_rows - 1]};
        Lanes<std::uint32_t> kept[2];
        Lanes<std::uint32_t> swapped[2];
        warp.each_lane([&](int lane) {
            if (params.residual != nullptr) {
                add_residual(row, lane, state, (*done[0])[lane], (*done[1])[lane]);
            }
            with_activation<Precision::coarse>(params.activation, [&](auto function) {
                HACSCALE_UNROLL
                for (int i = 0; i < 4; ++i) {
                    (*done[0])[lane].values[i] = function((*done[0])[lane].values[i]);
                    (*done[1])[lane].values[i] = function((*done[1])[lane].values[i]);
                }
            });
            const bool odd = lane % 2 == 1;
            HACSCALE_UNROLL
            for (int h = 0; h < 2; ++h) {
                const std::uint32_t words[2] = {packed((*done[0])[lane], h), packed((*done[1])[lane], h)};
                kept[h][lane] = odd ? words[1] : words[0];
                swapped[h][lane] = odd ? words[0] : words[1];
            }
        });
        HACSCALE_UNROLL
        for (int h = 0; h < 2; ++h) swap_with_neighbour(warp, swapped[h]);
        warp.each_lane([&](int lane) {
            const bool odd = lane % 2 == 1;
            HACSCALE_UNROLL
            for (int h = 0; h < 2; ++h) {
                if (row < state.rows_left[h][lane] && (!odd || state.second)) {
                    Packet<std::uint32_t, 2> both;
                    both.values[0] = odd ? swapped[h][lane] : kept[h][lane];
                    both.values[1] = odd ? kept[h][lane] : swapped[h][lane];
                    T* to = static_cast<T*>(params.output) + state.output[h][lane];
                    *reinterpret_cast<Packet<std::uint32_t, 2>*>(to) = both;
                }
                state.output[h][lane] += params.out_width * params.channels;
            }
        });
    }

    // The first of the four channels of its pair that a lane stores: even lanes have the first vector's.
    HACSCALE_HD static int stored_channel(int lane) {
        return lane % 2 == 0 ? 2 * (lane % 4) : 8 + 2 * (lane % 4 - 1);
    }

    // The sums of row lane / 4 (h = 0) or eight further (h = 1), two channels, as a word.
    HACSCALE_HD static std::uint32_t packed(const Sums& sums, int h) {
        const T two[2] = {from_float<T>(sums.values[2 * h]), from_float<T>(sums.values[2 * h + 1])};
        std::uint32_t word;
        std::memcpy(&word, two, sizeof(word));
        return word;
    }

    HACSCALE_HD void add_residual(int row, int lane, const Walk& state, Sums& first, Sums& second) const {
        HACSCALE_UNROLL
        for (int h = 0; h < 2; ++h) {
            if (row >= state.rows_left[h][lane]) continue;
            const T* from = static_cast<const T*>(params.residual) + state.output[h][lane] -
                            stored_channel(lane) + 2 * (lane % 4);
            float two[2];
            load(from, two);
            first.values[2 * h] += two[0];
            first.values[2 * h + 1] += two[1];
            if (!state.second) continue;
            load(from + 8, two);
            second.values[2 * h] += two[0];
            second.values[2 * h + 1] += two[1];
        }
    }
};

inline bool depthwise_tensor_fits(int kernel, int stride, int channels, DataType type,
                                  int compute_capability) {
    return (kernel == 3 || kernel == 5) && (stride == 1 || stride == 2) && channels % 8 == 0 &&
           (type == DataType::f16 || type == DataType::bf16) && compute_capability >= oldest_with_mma;
}

// Calls visit(kernel) with the kernel made for these parameters, which depthwise_tensor_fits().
template <typename Visit>
void with_depthwise_tensor(const DepthwiseTensorParams& params, DataType type, Visit&& visit) {
    const auto with_stride = [&](auto element, auto kernel) {
        using T = decltype(element);
        if (params.tiling.stride == 1) {
            visit(DepthwiseTensorKernel<T, decltype(kernel)::value, 1>{params});
        } else {
            visit(DepthwiseTensorKernel<T, decltype(kernel)::value, 2>{params});
        }
    };
    const auto with_kernel = [&](auto element) {
        if (params.tiling.kernel == 3) {
            with_stride(element, Constant<3>{});
        } else {
            with_stride(element, Constant<5>{});
        }
    };
    if (type == DataType::f16) {
        with_kernel(__half{});
    } else {
        with_kernel(__nv_bfloat16{});
    }
}

}  // namespace hacscale::cuda
