// Which thread of a depthwise conv computes which outputs. A thread owns one vector of channels and a strip
// of neighbouring outputs along width; a block owns a patch of outputs about as wide as it is high, so that
// the rows that neighbouring outputs share are read through its L1 cache and not again from L2.
#pragma once

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

constexpr int depthwise_max_threads = 256;

// Units of a block, from the innermost: channel vectors, strips, rows.
struct DepthwiseTiling {
    int strip = 1;    // outputs of a thread along width
    int vectors = 0;  // channel vectors of the tensor
    int strips = 0;   // of an output row
    int rows = 0;     // output rows of an image
    int batch = 0;
    Divisor tile_vectors, tile_strips;
    int tile_rows = 1;
    Divisor vector_tiles, strip_tiles, row_tiles;

    // The first output of a thread's strip; a strip may reach beyond the row's end.
    struct Cell {
        int image, row, column, vector;
        bool valid;  // false: the thread has nothing to do
    };

    HACSCALE_HD constexpr std::int64_t blocks() const {
        return std::int64_t{vector_tiles.value()} * strip_tiles.value() * row_tiles.value() * batch;
    }
    HACSCALE_HD constexpr int threads() const {
        return ceil_div(tile_vectors.value() * tile_strips.value() * tile_rows, 32) * 32;
    }
    HACSCALE_HD constexpr Cell cell(int block, int thread) const {
        const int vector = vector_tiles.take(block) * tile_vectors.value() + tile_vectors.take(thread);
        const int strip_index = strip_tiles.take(block) * tile_strips.value() + tile_strips.take(thread);
        const int row = row_tiles.take(block) * tile_rows + thread;
        return {block, row, strip_index * strip, vector,
                thread < tile_rows && vector < vectors && strip_index < strips && row < rows};
    }
};

struct DepthwiseShape {
    int batch, channels, out_height, out_width;
    int vector;  // channels of a thread
};

// A tiling with this strip, for a device with so many multiprocessors.
DepthwiseTiling tile_depthwise(const DepthwiseShape& shape, int strip, int multiprocessors);

// The strip (4, 2 or 1) that leaves enough threads to keep the device busy: a longer one reads less.
int strip_for(const DepthwiseShape& shape, int multiprocessors);

}  // namespace hacscale::cuda
