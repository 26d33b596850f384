#include "kernels/cuda/device/gemm_tiling.hpp"

#include <algorithm>
#include <utility>

namespace hacscale::cuda {
namespace {

constexpr std::int64_t most_waves = 8;
constexpr int chunks_a_warp = 2;  // at least, where the sum is long enough: the second is loaded ahead

GemmTiling tiling_for(const GemmShape& shape, GemmTile tile) {
    GemmTiling tiling;
    tiling.tile = tile;
    tiling.row_tiles = ceil_div(shape.rows, tile.rows);
    tiling.column_tiles = Divisor(ceil_div(shape.columns, tile.columns));
    tiling.warps = std::clamp(shape.chunks / chunks_a_warp, 1, gemm_max_warps(tile));
    return tiling;
}

// A block reads its rows and columns whole, and a multiprocessor's blocks come in waves.
std::int64_t cost_of(const GemmTiling& tiling, int multiprocessors) {
    return ceil_div(tiling.blocks(), std::int64_t{multiprocessors}) *
           (tiling.tile.rows + tiling.tile.columns);
}

}  // namespace

std::vector<GemmTiling> tile_gemm(const GemmShape& shape, int multiprocessors) {
    std::vector<GemmTiling> tilings;
    for (const GemmTile tile : gemm_tiles) {
        const GemmTiling tiling = tiling_for(shape, tile);
        if (tiling.blocks() <= most_waves * multiprocessors) tilings.push_back(tiling);
    }
    std::stable_sort(tilings.begin(), tilings.end(), [&](const GemmTiling& a, const GemmTiling& b) {
        return cost_of(a, multiprocessors) < cost_of(b, multiprocessors);
    });
    return tilings;
}

}  // namespace hacscale::cuda
