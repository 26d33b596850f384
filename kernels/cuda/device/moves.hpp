// Layers that compute nothing: channels and pixels in other places (slice, pad, shuffles, nearest resize, permute, reshape), NHWC. What moves is
// words of 2 to 16 bytes, whatever the data type: the largest that the layer's channels come in. A map says where a word of
// the output comes from.
#pragma once

#include <type_traits>

#include "kernels/cuda/device/elements.hpp"

namespace hacscale::cuda {

// The position of a word in the output, or of one in the input. `channel` counts words.
struct WordPlace {
    int image = 0, row = 0, column = 0, channel = 0;
};

// A tensor as words.
struct WordMap {
    int height = 0, width = 0;
    int channels = 0;  // words of a position

    HACSCALE_HD std::int64_t at(const WordPlace& place) const {
        return ((static_cast<std::int64_t>(place.image) * height + place.row) * width + place.column) *
                   channels +
               place.channel;
    }
};

// ---- Where the words of an output come from: false where they are MoveParams::fill ----
//
// keeps_neighbours: channels may be moved as words of several; scatters: neighbouring channels may come from places far apart,
// and then words are single channels.

// Channels from `first` on, and `top` rows and `left` columns before the map; negative: cut off.
struct ShiftMap {
    static constexpr bool keeps_neighbours = true;
    static constexpr bool scatters = false;
    int first = 0, top = 0, left = 0;

    HACSCALE_HD bool find(const WordMap& input, WordPlace& place) const {
        place.channel += first;
        place.row -= top;
        place.column -= left;
        return static_cast<unsigned>(place.row) < static_cast<unsigned>(input.height) &&
               static_cast<unsigned>(place.column) < static_cast<unsigned>(input.width);
    }
};

// Channel c is channel c / groups of group c % groups.
struct ChannelShuffleMap {
    static constexpr bool keeps_neighbours = false;
    static constexpr bool scatters = true;
    Divisor groups;
    int group_channels = 0;

    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        int inside = place.channel;
        const int group = groups.take(inside);
        place.channel = group * group_channels + inside;
        return true;
    }
};

// Blocks of pixels: `few` channels of the large map are rows * columns as many of the small one. As in
// models/ops/pixel_shuffle.hpp, channels_first has the pixels of a channel side by side.
struct BlockMap {
    static constexpr bool keeps_neighbours = true;
    static constexpr bool scatters = true;
    Divisor rows, columns, few;
    bool channels_first = false;

    HACSCALE_HD int many_of(int channel, int pixel) const {
        return channels_first ? channel * rows.value() * columns.value() + pixel
                              : pixel * few.value() + channel;
    }
};
struct PixelShuffleMap : BlockMap {
    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        const int row = rows.take(place.row);
        const int column = columns.take(place.column);
        place.channel = many_of(place.channel, row * columns.value() + column);
        return true;
    }
};
struct SpaceToDepthMap : BlockMap {
    Divisor pixels;  // of a block

    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        int high = place.channel;
        const int low = channels_first ? pixels.take(high) : few.take(high);
        place.channel = channels_first ? high : low;
        int row = channels_first ? low : high;
        const int column = columns.take(row);
        place.row = place.row * rows.value() + row;
        place.column = place.column * columns.value() + column;
        return true;
    }
};

// Which row and column of the input each of the output is.
struct TableMap {
    static constexpr bool keeps_neighbours = true;
    static constexpr bool scatters = false;
    const int* rows = nullptr;     // [out height]
    const int* columns = nullptr;  // [out width]

    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        place.row = rows[place.row];
        place.column = columns[place.column];
        return true;
    }
};

// The axes in another order, of the channels of each group by themselves (models/ops/permute.hpp).
struct PermuteMap {
    static constexpr bool keeps_neighbours = false;
    static constexpr bool scatters = true;
    int axes[3] = {0, 1, 2};  // for each of the output's axes (channels, rows, columns), the input's
    Divisor out_channels;     // of a group
    int in_channels = 0;      // of a group

    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        int group = place.channel;
        const int to[3] = {out_channels.take(group), place.row, place.column};
        int from[3] = {};
        HACSCALE_UNROLL
        for (int axis = 0; axis < 3; ++axis) from[axes[axis]] = to[axis];
        place.channel = group * in_channels + from[0];
        place.row = from[1];
        place.column = from[2];
        return true;
    }
};

// The same numbers in another shape, counted by channel, row and column.
struct ReshapeMap {
    static constexpr bool keeps_neighbours = false;
    static constexpr bool scatters = true;
    int out_height = 0, out_width = 0;
    Divisor in_height, in_width;

    HACSCALE_HD bool find(const WordMap&, WordPlace& place) const {
        int rest = (place.channel * out_height + place.row) * out_width + place.column;
        place.column = in_width.take(rest);
        place.row = in_height.take(rest);
        place.channel = rest;
        return true;
    }
};

// ---- The kernel ----

template <typename Map>
struct MoveParams {
    const void* input = nullptr;
    void* output = nullptr;
    Map map;
    WordMap in;
    // Of the output: vectors of `gathered` words in a position, columns, rows.
    Divisor vectors, width, height;
    int count = 0;  // vectors of the output
    int word_bytes = 16;
    int gathered = 1;        // words of a vector, each from a place of its own
    std::uint32_t fill = 0;  // one number of four bytes, or the same one of two bytes twice
};

template <int Bytes>
using Word = std::conditional_t<Bytes == 2, Packet<std::uint16_t, 1>, Packet<std::uint32_t, (Bytes + 3) / 4>>;

// A thread has `steps` vectors of Gathered words, whose loads are in flight together; neighbouring threads have
// neighbouring vectors in every step.
template <typename Map, int Bytes, int Gathered>
struct MoveKernel {
    static constexpr int max_threads = 256;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    static constexpr int steps = Gathered == 1 ? 4 : 1;
    using Shared = NothingShared;
    using Vector = Packet<Word<Bytes>, Gathered>;

    MoveParams<Map> params;

    std::int64_t blocks() const {
        return ceil_div(std::int64_t{params.count}, std::int64_t{max_threads * steps});
    }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        Vector vectors[steps] = {};
        HACSCALE_UNROLL
        for (int s = 0; s < steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i < params.count) collect(static_cast<int>(i), vectors[s]);
        }
        HACSCALE_UNROLL
        for (int s = 0; s < steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i < params.count) static_cast<Vector*>(params.output)[i] = vectors[s];
        }
    }

private:
    HACSCALE_HD static constexpr std::int64_t index(int block, int thread, int step) {
        return (std::int64_t{block} * steps + step) * max_threads + thread;
    }
    HACSCALE_HD void collect(int rest, Vector& vector) const {
        WordPlace to;
        to.channel = params.vectors.take(rest) * Gathered;
        to.column = params.width.take(rest);
        to.row = params.height.take(rest);
        to.image = rest;
        HACSCALE_UNROLL
        for (int i = 0; i < Gathered; ++i) {
            WordPlace from = to;
            from.channel += i;
            if (params.map.find(params.in, from)) {
                vector.values[i] = static_cast<const Word<Bytes>*>(params.input)[params.in.at(from)];
            } else {
                for (auto& part : vector.values[i].values) {
                    part = static_cast<std::remove_reference_t<decltype(part)>>(params.fill);
                }
            }
        }
    }
};

// Calls visit(kernel) with the kernel for these words.
template <typename Map, typename Visit>
void with_move(const MoveParams<Map>& params, Visit&& visit) {
    if constexpr (Map::scatters) {
        // 16 bytes of 2 or 4 each.
        if (params.gathered == 8) return visit(MoveKernel<Map, 2, 8>{params});
        if (params.gathered == 4) return visit(MoveKernel<Map, 4, 4>{params});
    }
    if (params.word_bytes == 2) return visit(MoveKernel<Map, 2, 1>{params});
    if (params.word_bytes == 4) return visit(MoveKernel<Map, 4, 1>{params});
    if constexpr (Map::keeps_neighbours) {
        if (params.word_bytes == 8) return visit(MoveKernel<Map, 8, 1>{params});
        visit(MoveKernel<Map, 16, 1>{params});
    }
}

}  // namespace hacscale::cuda
