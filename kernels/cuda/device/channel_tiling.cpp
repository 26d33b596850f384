#include "kernels/cuda/device/channel_tiling.hpp"

#include <algorithm>

namespace hacscale::cuda {

ChannelTiling tile_channels(const ChannelShape& shape, int multiprocessors, int min_visits) {
    constexpr int max_chunks = 64;
    ChannelTiling tiling;
    tiling.vectors = shape.channels / shape.vector;
    tiling.positions = shape.positions;
    tiling.batch = shape.batch;
    // From whole cache lines down to 32-byte sectors, until there is a block for each multiprocessor.
    const bool single = shape.vector == 1;
    const int min_tile = single ? 16 : 2;
    int tile = single ? 32 : 8;
    while (tile > min_tile && std::int64_t{shape.batch} * ceil_div(tiling.vectors, tile) < multiprocessors) {
        tile /= 2;
    }
    tile = std::min(tile, tiling.vectors);
    tiling.tile = Divisor(tile);
    tiling.vector_tiles = Divisor(ceil_div(tiling.vectors, tile));
    const std::int64_t blocks_a_chunk = std::int64_t{shape.batch} * tiling.vector_tiles.value();
    const int chunks_wanted = static_cast<int>(
        std::clamp<std::int64_t>(ceil_div<std::int64_t>(multiprocessors, blocks_a_chunk), 1, max_chunks));
    // Blocks get smaller while that allows for more of the chunks that are wanted.
    int chunks = 0;
    for (int threads = channel_threads; threads >= 64 && chunks < chunks_wanted; threads /= 2) {
        tiling.lanes = std::min(shape.positions, std::max(1, threads / tile));
        chunks = std::clamp(shape.positions / (tiling.lanes * min_visits), 1, chunks_wanted);
    }
    if (chunks == 1) tiling.lanes = std::min(shape.positions, channel_threads / tile);
    tiling.chunk = ceil_div(shape.positions, chunks);
    tiling.chunks = Divisor(ceil_div(shape.positions, tiling.chunk));
    return tiling;
}

std::optional<ChannelTiling> tile_cluster(const ChannelShape& shape, int cluster_blocks, int max_threads) {
    ChannelTiling tiling;
    tiling.vectors = shape.channels / shape.vector;
    tiling.positions = shape.positions;
    tiling.batch = shape.batch;
    const int min_tile = shape.vector == 1 ? 16 : 2;  // 32 bytes are what memory is read in
    // Many tiles share out the matrices as well, so chunks are taken only if they make less work for a block.
    std::int64_t min_work = 0;
    int tiles_taken = 0;
    for (int tiles = cluster_blocks; tiles >= 1; tiles /= 2) {
        const int tile = ceil_div(tiling.vectors, tiles);
        if (tiles > 1 && tile < min_tile) continue;
        const int chunk = ceil_div(shape.positions, cluster_blocks / tiles);
        const std::int64_t work = std::int64_t{tile} * chunk;
        if (tiles_taken != 0 && 20 * work >= 19 * min_work) continue;
        min_work = work;
        tiles_taken = tiles;
        tiling.tile = Divisor(tile);
        tiling.vector_tiles = Divisor(tiles);
        tiling.chunk = chunk;
        tiling.chunks = Divisor(cluster_blocks / tiles);
    }
    if (tiling.tile.value() > max_threads) return std::nullopt;
    tiling.lanes = max_threads / tiling.tile.value();
    return tiling;
}

}  // namespace hacscale::cuda
