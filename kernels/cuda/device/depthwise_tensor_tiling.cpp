#include "kernels/cuda/device/depthwise_tensor_tiling.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::cuda {
namespace {

constexpr int most_pairs = 4;  // 64 channels: a cache line
constexpr int most_groups = 4;
constexpr int most_bands = 4;
constexpr int most_band_rows = 32;

// Warp instructions, counted in the machine code (README.md), and cycles that a multiprocessor takes to get and
// put a packet at a device's bandwidth. They compare tilings of one layer with each other and tell no time.
constexpr double unit_instructions = 140.0;
constexpr double output_row_instructions = 60.0;
constexpr double packet_instructions = 0.3;
constexpr double schedulers = 4.0;
constexpr double packet_cycles = 1.6;
constexpr double block_cycles = 1000.0;  // until the first loads are there

DepthwiseTensorTiling tiling_of(const DepthwiseTensorShape& shape, int pairs, int groups, int bands,
                                int band_rows) {
    DepthwiseTensorTiling tiling;
    tiling.kernel = shape.kernel;
    tiling.stride = shape.stride;
    tiling.groups = groups;
    tiling.bands = bands;
    tiling.band_rows = band_rows;
    tiling.vectors = shape.channels / 8;
    tiling.pairs = Divisor(pairs);
    tiling.group_divisor = Divisor(groups);
    tiling.staged_vectors = Divisor(pair_vectors * pairs);
    tiling.staged_columns = Divisor((groups * group_columns - 1) * shape.stride + shape.kernel);
    tiling.row_lanes =
        std::max(1, 32 * tiling.warps() / (tiling.staged_vectors.value() * tiling.staged_columns.value()));
    tiling.pair_tiles = Divisor(ceil_div(tiling.vectors, pair_vectors * pairs));
    tiling.column_tiles = Divisor(ceil_div(shape.out_width, groups * group_columns));
    tiling.row_tiles = Divisor(ceil_div(shape.out_height, tiling.rows()));
    tiling.batch = shape.batch;
    return tiling;
}

double cycles(const DepthwiseTensorTiling& tiling, int multiprocessors) {
    // Rows that are read before the first output is complete cost nearly as much as those after.
    const int steps = tiling.band_rows + (tiling.kernel - 1) / tiling.stride;
    const double products = 2.0 * (tiling.kernel + 1) / 2 * (ceil_div(tiling.kernel, tiling.stride) + 1);
    const double instructions = tiling.units() * (unit_instructions + steps * tiling.stride * products +
                                                  tiling.band_rows * output_row_instructions) +
                                tiling.packets() * packet_instructions;
    const double moved =
        tiling.packets() + tiling.staged_vectors.value() * tiling.groups * group_columns * tiling.rows();
    const double block = std::max(instructions / schedulers, moved * packet_cycles);
    return block_cycles +
           block * static_cast<double>(ceil_div<std::int64_t>(tiling.blocks(), multiprocessors));
}

}  // namespace

DepthwiseTensorTiling tile_depthwise_tensor(const DepthwiseTensorShape& shape, int multiprocessors) {
    DepthwiseTensorTiling best;
    double least = std::numeric_limits<double>::infinity();
    const int pairs_there = ceil_div(shape.channels / 8, pair_vectors);
    const int groups_there = ceil_div(shape.out_width, group_columns);
    for (int pairs = std::min(most_pairs, pairs_there); pairs > 0; --pairs) {
        for (int groups = 1; groups <= std::min(most_groups, groups_there); ++groups) {
            for (int bands = 1; bands <= std::min(most_bands, shape.out_height); ++bands) {
                const int rows_there = ceil_div(shape.out_height, bands);
                for (int rows = 1; rows <= std::min(most_band_rows, rows_there); ++rows) {
                    const DepthwiseTensorTiling tiling = tiling_of(shape, pairs, groups, bands, rows);
                    if (tiling.packets() > depthwise_tensor_packets) break;
                    const double expected = cycles(tiling, multiprocessors);
                    if (expected >= least) continue;
                    least = expected;
                    best = tiling;
                }
            }
        }
    }
    return best;
}

}  // namespace hacscale::cuda
