#include "kernels/cuda/device/depthwise_tiling.hpp"

#include <algorithm>
#include <cmath>

namespace hacscale::cuda {
namespace {

// The greatest size of a tile in [least, most] that leaves the fewest idle places when `count` units are
// covered by such tiles.
int best_tile(int count, int least, int most) {
    if (count <= most) return count;
    int best = most;
    for (int tile = most; tile >= least; --tile) {
        if (ceil_div(count, tile) * tile < ceil_div(count, best) * best) best = tile;
    }
    return best;
}

// At most `most` units a tile, and the tiles as equal as can be.
int even_tile(int count, int most) {
    return ceil_div(count, ceil_div(count, std::clamp(most, 1, count)));
}

}  // namespace

DepthwiseTiling tile_depthwise(const DepthwiseShape& shape, int strip, int multiprocessors) {
    DepthwiseTiling tiling;
    tiling.strip = strip;
    tiling.vectors = shape.channels / shape.vector;
    tiling.strips = ceil_div(shape.out_width, strip);
    tiling.rows = shape.out_height;
    tiling.batch = shape.batch;
    // 8 vectors of 16 bytes are a cache line; single elements need more of them for whole sectors.
    const bool single = shape.vector == 1;
    const int vectors = best_tile(tiling.vectors, single ? 16 : 8, single ? 32 : 16);
    // Blocks get smaller until there are two for each multiprocessor.
    for (int threads = depthwise_max_threads; threads >= 64; threads /= 2) {
        const int area = std::max(1, threads / vectors);
        const int wide = static_cast<int>(std::lround(std::sqrt(static_cast<double>(area) / strip)));
        int strips = even_tile(tiling.strips, std::max(1, wide));
        const int rows = even_tile(tiling.rows, area / strips);
        // A map of few rows leaves room for more strips.
        strips = even_tile(tiling.strips, area / rows);
        tiling.tile_vectors = Divisor(vectors);
        tiling.tile_strips = Divisor(strips);
        tiling.tile_rows = rows;
        tiling.vector_tiles = Divisor(ceil_div(tiling.vectors, vectors));
        tiling.strip_tiles = Divisor(ceil_div(tiling.strips, strips));
        tiling.row_tiles = Divisor(ceil_div(tiling.rows, rows));
        if (tiling.blocks() >= 2 * multiprocessors) break;
    }
    return tiling;
}

int strip_for(const DepthwiseShape& shape, int multiprocessors) {
    // Eight warps a multiprocessor: with each thread's loads in flight together, that is about what covers
    // the latency of memory.
    const std::int64_t enough = std::int64_t{multiprocessors} * 256;
    const std::int64_t lines = std::int64_t{shape.batch} * shape.out_height * (shape.channels / shape.vector);
    for (const int strip : {4, 2}) {
        if (lines * ceil_div(shape.out_width, strip) >= enough) return strip;
    }
    return 1;
}

}  // namespace hacscale::cuda
