#include "kernels/cuda/device/depthwise_tensor.hpp"

#include <algorithm>
#include <limits>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

constexpr int max_pairs = 4;  // 64 channels: a cache line
constexpr int max_groups = 4;
constexpr int max_bands = 4;
constexpr int max_band_rows = 32;

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
constexpr double max_issued = 3.2;        // of four schedulers, a cycle
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
    // What is beyond the image is not read.
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
    const double computing = instructions / std::min(max_issued, issued_by_a_warp * warps);
    // Tiles of few channels read and write pieces of cache lines.
    const double pieces = 1.0 + 0.1 * (max_pairs - tiling.pairs.value());
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
    for (int groups = 1; groups <= std::min(max_groups, groups_there); ++groups) {
        for (int bands = 1; bands <= std::min(max_bands, shape.out_height); ++bands) {
            const int rows_there = ceil_div(shape.out_height, bands);
            for (int rows = 1; rows <= std::min(max_band_rows, rows_there); ++rows) {
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
    constexpr std::size_t max_tilings = 2;
    std::vector<Expected> found;
    const int pairs_there = ceil_div(shape.channels / 8, pair_vectors);
    for (int pairs = std::min(max_pairs, pairs_there); pairs > 0; --pairs) {
        found.push_back(best_with(shape, pairs, multiprocessors));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Expected& a, const Expected& b) { return a.cycles < b.cycles; });
    std::vector<DepthwiseTensorTiling> tilings;
    for (const Expected& expected : found) {
        if (tilings.size() < max_tilings) tilings.push_back(expected.tiling);
    }
    return tilings;
}

namespace {

class DepthwiseTensorLayer final : public CudaLayer {
public:
    DepthwiseTensorLayer(const LayerContext& context, const DepthwiseTensorTiling& tiling)
        : layer_(context.layer), type_(context.type), tiling_(tiling) {
        parts_.add(static_cast<std::size_t>(layer_.in_channels) * padded_taps(layer_.kernel()) *
                   sizeof(std::uint32_t));
        bias_offset_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    // With the channels of a tile.
    std::string implementation() const override {
        const std::string side = std::to_string(layer_.kernel());
        return kernel_name("depthwise " + side + "x" + side + " s" + std::to_string(layer_.stride()) +
                               " tensor" + std::to_string(8 * tiling_.staged_vectors.value()),
                           true, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const int taps = layer_.kernel() * layer_.kernel();
        const int padded = padded_taps(layer_.kernel());
        std::vector<std::uint32_t> words(static_cast<std::size_t>(layer_.in_channels) * padded, 0U);
        with_element(type_, [&](auto element) {
            using T = decltype(element);
            for (int channel = 0; channel < layer_.in_channels; ++channel) {
                for (int tap = 0; tap < taps; ++tap) {
                    const int word = tap_word(layer_.kernel(), tap / layer_.kernel(), tap % layer_.kernel());
                    words[static_cast<std::size_t>(channel) * padded + word] = depthwise_tensor_word<T>(
                        weights.weights[static_cast<std::size_t>(channel) * taps + tap], channel);
                }
            }
        });
        std::memcpy(packed.data(), words.data(), words.size() * sizeof(words[0]));
        pack_floats(weights.bias, layer_.in_channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        auto params = conv_params<DepthwiseTensorParams>(layer_, buffers, bias_offset_);
        params.weights = part<std::uint32_t>(buffers.weights, 0);
        params.out_height = layer_.out_height();
        params.out_width = layer_.out_width();
        params.tiling = tiling_;
        launch_depthwise_tensor(params, type_, stream);
    }

private:
    LayerSpec layer_;
    DataType type_;
    DepthwiseTensorTiling tiling_;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

}  // namespace

LayerList depthwise_tensor_layers(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    LayerList layers;
    if (!depthwise_tensor_fits(layer.kernel(), layer.stride(), layer.in_channels, context.type,
                               context.device.compute_capability)) {
        return layers;
    }
    const DepthwiseTensorShape shape{context.batch,     layer.in_channels, layer.out_height(),
                                     layer.out_width(), layer.kernel(),    layer.stride()};
    for (const DepthwiseTensorTiling& tiling :
         depthwise_tensor_tilings(shape, context.device.multiprocessors)) {
        layers.push_back(std::make_unique<DepthwiseTensorLayer>(context, tiling));
    }
    return layers;
}

}  // namespace hacscale::cuda
