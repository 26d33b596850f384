#include <algorithm>
#include <utility>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"
#include "kernels/cuda/host_tensor.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::int64_t max_waves = 8;
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
        if (tiling.blocks() <= max_waves * multiprocessors) tilings.push_back(tiling);
    }
    std::stable_sort(tilings.begin(), tilings.end(), [&](const GemmTiling& a, const GemmTiling& b) {
        return cost_of(a, multiprocessors) < cost_of(b, multiprocessors);
    });
    return tilings;
}

namespace {

// Offsets are computed in 31 bits, for rows beyond the last position as well.
constexpr double max_elements = 1 << 30;
constexpr std::size_t max_tilings = 4;  // that are offered

bool can_be_product(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const bool halves = context.type == DataType::f16 || context.type == DataType::bf16;
    const double elements = static_cast<double>(context.batch) * layer.in_height * layer.in_width *
                            std::max(layer.in_channels, layer.out_channels);
    const double weights =
        static_cast<double>(layer.kernel()) * layer.kernel() * layer.in_channels * layer.out_channels;
    return context.device.compute_capability >= oldest_with_mma && halves && layer.groups == 1 &&
           fits_vectors(layer.in_channels, context.type) && fits_vectors(layer.out_channels, context.type) &&
           std::max(elements, weights) < max_elements;
}

class GemmLayer final : public CudaLayer {
public:
    GemmLayer(const LayerContext& context, const GemmShape& shape, const GemmTiling& tiling)
        : layer_(context.layer),
          type_(context.type),
          shape_(shape),
          tiling_(tiling),
          layout_(weight_layout(layer_, type_, BiasType::f32)) {}

    std::string implementation() const override {
        const std::string side = std::to_string(layer_.kernel());
        return kernel_name("gemm " + side + "x" + side + " tile" + std::to_string(tiling_.tile.rows) + "x" +
                               std::to_string(tiling_.tile.columns) + " warps" +
                               std::to_string(tiling_.warps),
                           true, type_);
    }
    std::size_t weight_bytes() const override { return layout_.bytes; }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_conv_weights(layer_, type_, BiasType::f32, weights, packed);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        auto params = conv_params<GemmParams>(layer_, buffers, layout_.bias_offset);
        params.weights = buffers.weights;
        params.outputs = layer_.out_channels;
        params.positions = shape_.rows;
        params.stride = layer_.stride();
        params.chunks = shape_.chunks;
        params.tap_chunks = Divisor(ceil_div(layer_.in_channels, gemm_chunk));
        params.kernel = Divisor(layer_.kernel());
        params.out_width = Divisor(layer_.out_width());
        params.out_height = Divisor(layer_.out_height());
        params.tiling = tiling_;
        launch_gemm(params, type_, stream);
    }

private:
    LayerSpec layer_;
    DataType type_;
    GemmShape shape_;
    GemmTiling tiling_;
    ConvWeightLayout layout_;
};

}  // namespace

LayerList gemm_layers(const LayerContext& context) {
    LayerList layers;
    if (!can_be_product(context)) return layers;
    const LayerSpec& layer = context.layer;
    const GemmShape shape{context.batch * layer.out_height() * layer.out_width(), layer.out_channels,
                          layer.kernel() * layer.kernel() * ceil_div(layer.in_channels, gemm_chunk)};
    for (const GemmTiling& tiling : tile_gemm(shape, context.device.multiprocessors)) {
        if (layers.size() == max_tilings) break;
        layers.push_back(std::make_unique<GemmLayer>(context, shape, tiling));
    }
    return layers;
}

}  // namespace hacscale::cuda
