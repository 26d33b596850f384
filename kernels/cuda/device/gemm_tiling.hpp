// How a conv, as a matrix product of positions, outputs and inputs, is cut into blocks and warps.
#pragma once

#include <vector>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

constexpr int gemm_chunk = 32;       // inputs (channels of one tap) that a warp takes at a time
constexpr int gemm_most_warps = 16;  // of a block
constexpr int gemm_shared_bytes = 48 * 1024;

// A block has a tile of the output. Its warps share out the chunks of the sum, and their sums are added in the order
// of the warps: equal inputs give equal outputs.
struct GemmTile {
    int rows = 0;     // positions: a multiple of 16
    int columns = 0;  // outputs: a multiple of 8
    auto operator<=>(const GemmTile&) const = default;
};

// Floats from one row of a warp's sums to the next in shared memory: rows that are stored together start in
// different banks.
HACSCALE_HD constexpr int gemm_row_length(int columns) {
    return columns + 8;
}
// As many as have room for their sums, and registers for the operands of two rows of tiles.
constexpr int gemm_max_warps(GemmTile tile) {
    const int room = gemm_shared_bytes / (tile.rows * gemm_row_length(tile.columns) * 4);
    const int most = tile.rows > 16 ? gemm_most_warps / 2 : gemm_most_warps;
    return room < most ? room : most;
}

constexpr GemmTile gemm_tiles[] = {{32, 32}, {32, 16}, {16, 32}, {16, 16}, {16, 8}};

struct GemmTiling {
    GemmTile tile;
    int warps = 1;
    int row_tiles = 0;
    Divisor column_tiles;

    struct Place {
        int first_row, first_column;
    };

    HACSCALE_HD constexpr std::int64_t blocks() const {
        return std::int64_t{row_tiles} * column_tiles.value();
    }
    HACSCALE_HD constexpr Place place(int block) const {
        const int column_tile = column_tiles.take(block);
        return {block * tile.rows, column_tile * tile.columns};
    }
};

// The product's size: `chunks` of gemm_chunk inputs each.
struct GemmShape {
    int rows = 0;
    int columns = 0;
    int chunks = 0;
};

// One tiling for each tile, those expected to be fastest first. Empty for products that are so large that a library's
// kernels, which share tiles through shared memory, fill the device as well.
std::vector<GemmTiling> tile_gemm(const GemmShape& shape, int multiprocessors);

}  // namespace hacscale::cuda
