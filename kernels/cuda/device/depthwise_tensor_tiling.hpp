// How the depthwise conv for matrix units is cut. A block has a tile: some pairs of channel vectors, some groups
// of eight neighbouring output columns, and some bands of output rows, one below the other. A warp takes a pair of
// vectors and two halves, each the columns of one group in one band, and walks down their rows.
#pragma once

#include <vector>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

constexpr int depthwise_tensor_threads = 256;
constexpr int depthwise_tensor_packets = 3072;  // of 16 bytes: the most shared memory of a block
constexpr int group_columns = 8;
constexpr int pair_vectors = 2;  // 16 channels: a sector of memory

struct DepthwiseTensorTiling {
    int kernel = 3, stride = 1;
    int groups = 1, bands = 1, band_rows = 1;
    int vectors = 0;         // channel vectors of the tensor
    Divisor pairs;           // of a tile
    Divisor group_divisor;   // by `groups`
    Divisor staged_vectors;  // of a tile, all that its pairs have
    Divisor staged_columns;  // input columns of a tile
    Divisor row_lanes;       // rows that are copied side by side
    Divisor pair_tiles, column_tiles, row_tiles;
    int batch = 0;

    struct Tile {
        int image, first_vector, row, column;  // of the output
    };
    struct Half {
        int group, band;
        bool valid;
    };

    HACSCALE_HD constexpr std::int64_t blocks() const {
        return std::int64_t{pair_tiles.value()} * column_tiles.value() * row_tiles.value() * batch;
    }
    HACSCALE_HD constexpr int rows() const { return bands * band_rows; }
    HACSCALE_HD constexpr int staged_rows() const { return (rows() - 1) * stride + kernel; }
    // A warp's pieces of work. Those of one pair are apart by the number of pairs.
    HACSCALE_HD constexpr int units() const { return pairs.value() * ceil_div(groups * bands, 2); }
    HACSCALE_HD constexpr int warps() const {
        return units() < depthwise_tensor_threads / 32 ? units() : depthwise_tensor_threads / 32;
    }

    // Shared memory has the staged positions row by row, in a row first the even columns and then the odd ones at
    // stride 2, so that outputs side by side read positions side by side. A position has one packet more than
    // channel vectors: their number is odd, so eight positions side by side are in different banks.
    HACSCALE_HD constexpr int position_packets() const { return staged_vectors.value() + 1; }
    HACSCALE_HD constexpr int row_packets() const { return staged_columns.value() * position_packets(); }
    HACSCALE_HD constexpr int position_of(int column) const {
        return stride == 1 ? column : column % 2 * ceil_div(staged_columns.value(), 2) + column / 2;
    }
    HACSCALE_HD constexpr int packets() const { return staged_rows() * row_packets(); }

    HACSCALE_HD constexpr Tile tile(int block) const {
        Tile tile{};
        tile.first_vector = pair_tiles.take(block) * pairs.value() * pair_vectors;
        tile.column = column_tiles.take(block) * groups * group_columns;
        tile.row = row_tiles.take(block) * rows();
        tile.image = block;
        return tile;
    }
    // The halves of a unit are 2 m and 2 m + 1 of its m; one beyond the last is not valid and has the place of
    // the first.
    HACSCALE_HD constexpr Half half(int index) const {
        if (index >= groups * bands) return {0, 0, false};
        const int group = group_divisor.take(index);
        return {group, index, true};
    }
};

struct DepthwiseTensorShape {
    int batch, channels;  // a multiple of 8
    int out_height, out_width;
    int kernel, stride;
};

// The tilings that are expected to be fastest on a device with so many multiprocessors, of different numbers of
// channels: how much wide pieces of memory are worth is for a timing on the device to say. One or two, best first.
std::vector<DepthwiseTensorTiling> depthwise_tensor_tilings(const DepthwiseTensorShape& shape,
                                                            int multiprocessors);

}  // namespace hacscale::cuda
