// A network's first conv, of three channels, on the matrix units, with its bias and activation. Three channels fit no
// 16-byte access and no chunk of channels; but in NHWC the elements under one row of the window are neighbours.
//
// A block has a tile of 16 x 8 positions and 32 outputs. It brings the tile's part of the image and the weights into
// shared memory; a warp then has one row of the tile, and reads its operands straight from the image's part: pairs of
// neighbouring elements under the window, row after row, each row filled up to whole pairs.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/mma.hpp"

namespace hacscale::cuda {

constexpr int stem_channels = 3;
constexpr int stem_width = 16;    // positions of a tile
constexpr int stem_height = 8;    // a warp each
constexpr int stem_outputs = 32;  // of a block
constexpr int stem_threads = stem_height * warp_lanes;

// The sum over a window of this side, in pairs of elements.
constexpr int stem_row_pairs(int kernel) {
    return (kernel * stem_channels + 1) / 2;
}
// Steps of multiply_add(), of eight pairs each.
constexpr int stem_steps(int kernel) {
    return (kernel * stem_row_pairs(kernel) + 7) / 8;
}
// Elements of a block's weights: [step][two tiles of 8 outputs][lane][4 words of 2].
constexpr int stem_group_weights(int kernel) {
    return stem_steps(kernel) * 16 * stem_outputs;
}

struct StemParams {
    const void* input = nullptr;    // [batch][in_height][in_width][3]
    const void* weights = nullptr;  // a group of stem_group_weights() for every 32 outputs
    const float* bias = nullptr;    // [outputs]
    void* output = nullptr;         // [batch][out_height][out_width][outputs]
    int batch = 0;
    int in_height = 0;
    int in_width = 0;
    int out_height = 0;
    int out_width = 0;
    int outputs = 0;  // a multiple of 8
    int padding = 0;
    Divisor groups;  // of 32 outputs
    Divisor tiles_x;
    Divisor tiles_y;
    Activation activation = Activation::none;
};

template <typename T, int Side, int Stride>
struct StemKernel {
    static constexpr int max_threads = stem_threads;
    static constexpr int min_blocks = 3;
    static constexpr int phases = 3;
    static constexpr unsigned warp_phases = 0b010;
    static constexpr int width = 8;  // outputs of an access
    static constexpr int row_pairs = stem_row_pairs(Side);
    static constexpr int steps = stem_steps(Side);
    static constexpr int column_tiles = stem_outputs / 8;
    static constexpr int row_length = stem_outputs + 8;  // rows start in different banks
    // The part of the image: elements of a row, up to the last pair of the last position, and rows.
    static constexpr int part_length =
        ((stem_width - 1) * Stride * stem_channels + 2 * row_pairs + 1) / 2 * 2;
    static constexpr int part_rows = (stem_height - 1) * Stride + Side;
    static constexpr int part_steps = (part_rows * part_length + max_threads - 1) / max_threads;
    static constexpr int group_weights = stem_group_weights(Side);
    struct Shared {
        alignas(16) T part[part_rows * part_length];
        alignas(16) T weights[group_weights];
        alignas(16) float sums[stem_height * stem_width][row_length];
    };

    StemParams params;

    std::int64_t blocks() const {
        return std::int64_t{params.batch} * params.tiles_y.value() * params.tiles_x.value() *
               params.groups.value();
    }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const Place place = place_of(block);
        if constexpr (Phase == 0) {
            load_part(shared, place, thread);
            load_weights(shared, place, thread);
        } else {
            for (int i = thread; i < stem_height * stem_width * column_tiles; i += max_threads) {
                finish(shared, place, i / column_tiles, i % column_tiles * width);
            }
        }
    }
    template <int Phase>
    HACSCALE_HD void run_warp(Shared& shared, int, const Warp& warp) const {
        Lanes<Sums> sums[column_tiles];
        warp.each_lane([&](int lane) {
            HACSCALE_UNROLL
            for (int i = 0; i < column_tiles; ++i) sums[i][lane] = Sums{};
        });
        HACSCALE_UNROLL
        for (int step = 0; step < steps; ++step) add_products(shared, step, warp, sums);
        warp.each_lane([&](int lane) {
            HACSCALE_UNROLL
            for (int i = 0; i < column_tiles; ++i) {
                const Sums& mine = sums[i][lane];
                float* row = &shared.sums[warp.index() * stem_width + lane / 4][8 * i + lane % 4 * 2];
                store_floats<2>({mine.values[0], mine.values[1]}, row);
                store_floats<2>({mine.values[2], mine.values[3]}, row + 8 * row_length);
            }
        });
    }

private:
    struct Place {
        int image, y, x, group;  // y, x: the tile's first position
    };
    HACSCALE_HD Place place_of(int block) const {
        const int group = params.groups.take(block);
        const int x = params.tiles_x.take(block) * stem_width;
        const int y = params.tiles_y.take(block) * stem_height;
        return {block, y, x, group};
    }

    // Elements outside the image are zeros: those of a row are left of its first or right of its last one.
    HACSCALE_HD void load_part(Shared& shared, const Place& place, int thread) const {
        const int first_row = place.y * Stride - params.padding;
        const int first_element = (place.x * Stride - params.padding) * stem_channels;
        const int image_length = params.in_width * stem_channels;
        const T* image = static_cast<const T*>(params.input) +
                         static_cast<std::int64_t>(place.image) * params.in_height * image_length;
        Packet<T, 1> loaded[part_steps];
        HACSCALE_UNROLL
        for (int i = 0; i < part_steps; ++i) {
            const int at = i * max_threads + thread;
            const int row = first_row + at / part_length;
            const int element = first_element + at % part_length;
            const bool inside = static_cast<unsigned>(row) < static_cast<unsigned>(params.in_height) &&
                                static_cast<unsigned>(element) < static_cast<unsigned>(image_length);
            loaded[i] = load_or_zero<T, 1>(image + (row * image_length + element), inside);
        }
        HACSCALE_UNROLL
        for (int i = 0; i < part_steps; ++i) {
            const int at = i * max_threads + thread;
            if (at < part_rows * part_length) shared.part[at] = loaded[i].values[0];
        }
    }

    HACSCALE_HD void load_weights(Shared& shared, const Place& place, int thread) const {
        constexpr int packet = vector_width<T>;
        const T* from = static_cast<const T*>(params.weights) + place.group * group_weights;
        HACSCALE_UNROLL
        for (int i = thread * packet; i < group_weights; i += max_threads * packet) {
            *reinterpret_cast<Packet<T, packet>*>(&shared.weights[i]) = load_packet<T, packet>(from + i);
        }
    }

    // Two elements under the window of position x of the tile's row y. What fills a row of an odd number up counts as
    // zero, whatever is there.
    HACSCALE_HD static std::uint32_t pair_of(const Shared& shared, int y, int x, int pair) {
        const int row = pair / row_pairs;
        const int pair_in_row = pair % row_pairs;
        const bool inside = row < Side;
        const int at =
            (y * Stride + (inside ? row : 0)) * part_length + x * Stride * stem_channels + 2 * pair_in_row;
        std::uint32_t word = 0;
        if constexpr (Stride * stem_channels % 2 == 0) {
            const auto two = load_packet<T, 2>(&shared.part[at]);
            std::memcpy(&word, static_cast<const void*>(&two), sizeof(word));
        } else {
            const T two[2] = {shared.part[at], shared.part[at + 1]};
            std::memcpy(&word, static_cast<const void*>(two), sizeof(word));
        }
        if (Side * stem_channels % 2 == 1 && pair_in_row == row_pairs - 1) word &= 0xffffU;
        return inside ? word : 0;
    }

    HACSCALE_HD static void add_products(const Shared& shared, int step, const Warp& warp,
                                         Lanes<Sums> (&sums)[column_tiles]) {
        Lanes<Words<4>> left;
        warp.each_lane([&](int lane) {
            const int x = lane / 4;
            const int pair = step * 8 + lane % 4;
            left[lane] = {{pair_of(shared, warp.index(), x, pair), pair_of(shared, warp.index(), x + 8, pair),
                           pair_of(shared, warp.index(), x, pair + 4),
                           pair_of(shared, warp.index(), x + 8, pair + 4)}};
        });
        HACSCALE_UNROLL
        for (int i = 0; i < column_tiles / 2; ++i) {
            Lanes<Words<4>> right;
            warp.each_lane([&](int lane) {
                const int at = ((step * column_tiles / 2 + i) * warp_lanes + lane) * 8;
                const auto packet = load_packet<std::uint32_t, 4>(
                    reinterpret_cast<const std::uint32_t*>(&shared.weights[at]));
                right[lane] = {{packet.values[0], packet.values[1], packet.values[2], packet.values[3]}};
            });
            multiply_add<T, 0>(warp, left, right, sums[2 * i]);
            multiply_add<T, 2>(warp, left, right, sums[2 * i + 1]);
        }
    }

    HACSCALE_HD void finish(const Shared& shared, const Place& place, int position, int column) const {
        const int y = place.y + position / stem_width;
        const int x = place.x + position % stem_width;
        const int output = place.group * stem_outputs + column;
        if (y >= params.out_height || x >= params.out_width || output >= params.outputs) return;
        float values[width];
        float bias[width];
        load_floats(&shared.sums[position][column], values);
        load_floats(params.bias + output, bias);
        HACSCALE_UNROLL
        for (int i = 0; i < width; ++i) values[i] += bias[i];
        activate(params.activation, values);
        const std::int64_t row = (std::int64_t{place.image} * params.out_height + y) * params.out_width + x;
        store(values, static_cast<T*>(params.output) + row * params.outputs + output);
    }
};

constexpr bool stem_specialised(int kernel, int stride) {
    return (kernel == 3 && (stride == 1 || stride == 2)) || (kernel == 7 && stride == 2);
}

// Calls visit(kernel) for what stem_specialised() names; `type` is f16 or bf16.
template <typename Visit>
void with_stem(const StemParams& params, int kernel, int stride, DataType type, Visit&& visit) {
    const auto with_type = [&](auto element) {
        using T = decltype(element);
        if (kernel == 7) {
            visit(StemKernel<T, 7, 2>{params});
        } else if (stride == 2) {
            visit(StemKernel<T, 3, 2>{params});
        } else {
            visit(StemKernel<T, 3, 1>{params});
        }
    };
    if (type == DataType::f16) with_type(__half{});
    if (type == DataType::bf16) with_type(__nv_bfloat16{});
}

}  // namespace hacscale::cuda
