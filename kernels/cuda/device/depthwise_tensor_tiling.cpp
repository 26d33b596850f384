#include "kernels/cuda/device/depthwise_tensor_tiling.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::cuda {
namespace {

constexpr int most_pairs = 4;  // 64 channels: a cache line
constexpr int most_groups = 4;
constexpr int most_bands = 4;
constexpr int most_band_rows = 32;

// Warp instructions, counted in the machine code (bench/depthwise_instructions.py), and cycles that a multiprocessor
// takes to get and put a packet at a device's bandwidth. They compare tilings of one layer with each other and tell
// no time.
constexpr double warp_instructions = 140.0;
constexpr double column_instructions = 107.0 / 32.0;  // to begin with a column of a channel vector
constexpr double packet_instructions = 8.2 / 32.0;
struct WalkInstructions {
    double unit, row;
};
constexpr WalkInstructions instructions_3x3{172.0, 64.0};
constexpr WalkInstructions instructions_5x5{255.0, 87.0};
constexpr double most_issued = 3.2;       // of four schedulers, a cycle
constexpr double issued_by_a_warp = 0.2;  // alone: it waits for what it has asked for
constexpr int shared_packets = 14000;     // of a multiprocessor, 16 bytes each
constexpr int block_packets = 64;         // that each block takes besides
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
    tiling.row_lanes = Divisor(
        std::max(1, 32 * tiling.warps() / (tiling.staged_vectors.value() * tiling.staged_columns.value())));
    tiling.pair_tiles = Divisor(ceil_div(tiling.vectors, pair_vectors * pairs));
    tiling.column_tiles = Divisor(ceil_div(shape.out_width, groups * group_columns));
    tiling.row_tiles = Divisor(ceil_div(shape.out_height, tiling.rows()));
    tiling.batch = shape.batch;
    return tiling;
}

double cycles(const DepthwiseTensorShape& shape, const DepthwiseTensorTiling& tiling, int multiprocessors) {
    const WalkInstructions& walk = tiling.kernel == 3 ? instructions_3x3 : instructions_5x5;
    const int columns =
        tiling.staged_vectors.value() * tiling.staged_columns.value() * tiling.row_lanes.value();
    const double instructions = tiling.units() * (walk.unit + tiling.band_rows * walk.row) +
                                tiling.warps() * warp_instructions + columns * column_instructions +
                                tiling.packets() * packet_instructions;
    // What lies beyond the image is not read.
    const int vectors = std::min(tiling.staged_vectors.value(), tiling.vectors);
    const double read = static_cast<double>(vectors) *
                        std::min(tiling.staged_rows(), shape.out_height * shape.stride) *
                        std::min(tiling.staged_columns.value(), shape.out_width * shape.stride);
    const double written = static_cast<double>(vectors) * std::min(tiling.rows(), shape.out_height) *
                           std::min(tiling.groups * group_columns, shape.out_width);
    const auto blocks = static_cast<double>(ceil_div<std::int64_t>(tiling.blocks(), multiprocessors));
    const int resident_blocks = shared_packets / (tiling.packets() + block_packets);
    const int resident_warps = tiling.kernel == 3 ? 24 : 16;  // that registers have room for
    const double warps =
        std::min<double>(resident_warps, std::min<double>(resident_blocks, blocks) * tiling.warps());
    const double computing = instructions / std::min(most_issued, issued_by_a_warp * warps);
    // Tiles of few channels read and write pieces of cache lines.
    const double pieces = 1.0 + 0.1 * (most_pairs - tiling.pairs.value());
    const double moving = (read + written) * packet_cycles * pieces;
    // Blocks of a multiprocessor overlap: while one waits for its inputs another computes.
    return block_cycles + computing + moving + (blocks - 1.0) * std::max(computing, moving);
}

struct Expected {
    DepthwiseTensorTiling tiling;
    double cycles = std::numeric_limits<double>::infinity();
};

// Of those with so many pairs of vectors; none may fit.
Expected best_with(const DepthwiseTensorShape& shape, int pairs, int multiprocessors) {
    Expected best;
    const int groups_there = ceil_div(shape.out_width, group_columns);
    for (int groups = 1; groups <= std::min(most_groups, groups_there); ++groups) {
        for (int bands = 1; bands <= std::min(most_bands, shape.out_height); ++bands) {
            const int rows_there = ceil_div(shape.out_height, bands);
            for (int rows = 1; rows <= std::min(most_band_rows, rows_there); ++rows) {
                const DepthwiseTensorTiling tiling = tiling_of(shape, pairs, groups, bands, rows);
                if (tiling.packets() > depthwise_tensor_packets) break;
                const double expected = cycles(shape, tiling, multiprocessors);
                if (expected < best.cycles) best = {tiling, expected};
            }
        }
    }
    return best;
}

}  // namespace

std::vector<DepthwiseTensorTiling> depthwise_tensor_tilings(const DepthwiseTensorShape& shape,
                                                            int multiprocessors) {
    constexpr std::size_t most_tilings = 2;
    std::vector<Expected> found;
    const int pairs_there = ceil_div(shape.channels / 8, pair_vectors);
    for (int pairs = std::min(most_pairs, pairs_there); pairs > 0; --pairs) {
        found.push_back(best_with(shape, pairs, multiprocessors));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Expected& a, const Expected& b) { return a.cycles < b.cycles; });
    std::vector<DepthwiseTensorTiling> tilings;
    for (const Expected& expected : found) {
        if (tilings.size() < most_tilings) tilings.push_back(expected.tiling);
    }
    return tilings;
}

}  // namespace hacscale::cuda
