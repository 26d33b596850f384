// Which thread of a kernel that goes over all positions of an image, channel by channel, does what: a block
// has a tile of channel vectors and a chunk of an image's positions; within it a thread has one vector and
// every lanes-th position.
#pragma once

#include <optional>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

constexpr int channel_threads = 256;

struct ChannelTiling {
    int vectors = 0;    // channel vectors of the tensor
    int positions = 0;  // of an image
    int batch = 0;
    int chunk = 0;  // positions of a block
    int lanes = 1;
    Divisor tile;  // vectors of a block
    Divisor vector_tiles, chunks;

    struct Place {
        int image, chunk_index;
        int first_vector;  // of the block
        int vector;        // of the thread within the block
        int lane;
        int begin, end;  // the block's positions
        bool valid;      // false: the thread has nothing to do
    };

    HACSCALE_HD constexpr std::int64_t blocks() const {
        return std::int64_t{vector_tiles.value()} * chunks.value() * batch;
    }
    HACSCALE_HD constexpr int threads() const { return ceil_div(tile.value() * lanes, 32) * 32; }
    HACSCALE_HD constexpr Place place(int block, int thread) const {
        Place place{};
        place.first_vector = vector_tiles.take(block) * tile.value();
        place.chunk_index = chunks.take(block);
        place.image = block;
        place.vector = tile.take(thread);
        place.lane = thread;
        place.begin = place.chunk_index * chunk;
        place.end = positions - place.begin < chunk ? positions : place.begin + chunk;
        place.valid = place.lane < lanes && place.first_vector + place.vector < vectors;
        return place;
    }
};

struct ChannelShape {
    int batch, channels, positions;
    int vector;  // channels of a vector
};

// A tiling that fills a device with so many multiprocessors. min_visits: positions that a lane should at
// least have before an image is cut into (at most 64) chunks.
ChannelTiling tile_channels(const ChannelShape& shape, int multiprocessors, int min_visits);

// A tiling in which vector_tiles * chunks, a power of two of at most `cluster_blocks`, are the blocks of an
// image. Some of the last tiles and chunks may be empty. At most `max_threads` threads a block; nothing when a
// block would have more channel vectors than threads.
std::optional<ChannelTiling> tile_cluster(const ChannelShape& shape, int cluster_blocks, int max_threads);

}  // namespace hacscale::cuda
