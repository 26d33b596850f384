#include <algorithm>
#include <cmath>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

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

namespace {

bool is_specialised(const LayerSpec& layer, bool vectors) {
    return is_square_in_front(layer.window) && depthwise_specialised(layer.kernel(), layer.stride(), vectors);
}

class DepthwiseLayer final : public CudaLayer {
public:
    DepthwiseLayer(const LayerContext& context, const DepthwiseShape& shape, int strip)
        : layer_(context.layer),
          type_(context.type),
          vectors_(shape.vector > 1),
          specialised_(is_specialised(layer_, vectors_)),
          tiling_(tile_depthwise(shape, strip, context.device.multiprocessors)) {
        parts_.add(static_cast<std::size_t>(layer_.window.taps()) * layer_.in_channels * size_of(type_));
        bias_offset_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    std::string implementation() const override {
        return kernel_name("depthwise " + window_name(layer_.window) +
                               (specialised_ ? " strip" + std::to_string(tiling_.strip) : " general"),
                           vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const auto channels = static_cast<std::size_t>(layer_.in_channels);
        pack_elements(transposed(weights.weights, channels, weights.weights.size() / channels), type_,
                      packed);
        pack_floats(weights.bias, channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        auto params = conv_params<DepthwiseParams>(layer_, buffers, bias_offset_);
        params.weights = buffers.weights;
        params.out_height = layer_.out_height();
        params.out_width = layer_.out_width();
        params.stride = layer_.stride();
        const Window& window = layer_.window;
        params.window = {window.kernel[0], window.kernel[1], window.strides[0],   window.strides[1],
                         window.pads[0],   window.pads[1],   window.dilations[0], window.dilations[1]};
        params.tiling = tiling_;
        if (!specialised_) {
            launch_depthwise_any(params, type_, vectors_, stream);
        } else if (layer_.kernel() == 3) {
            launch_depthwise_3x3(params, type_, stream);
        } else {
            launch_depthwise_5x5(params, type_, stream);
        }
    }

private:
    LayerSpec layer_;
    DataType type_;
    bool vectors_;
    bool specialised_;
    DepthwiseTiling tiling_;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

}  // namespace

// The strip that is expected to be fastest first, then the others and the kernel for matrix units: which one wins
// in the end depends on clocks and caches, and is for a timing on the device to say.
LayerList depthwise_layers(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const bool vectors = fits_vectors(layer.in_channels, context.type);
    const DepthwiseShape shape{context.batch, layer.in_channels, layer.out_height(), layer.out_width(),
                               vectors ? static_cast<int>(16 / size_of(context.type)) : 1};
    std::vector<int> strips{1};
    if (is_specialised(layer, vectors)) {
        const int expected = strip_for(shape, context.device.multiprocessors);
        strips = {4, 2, 1};
        std::erase_if(strips, [&](int strip) { return strip > shape.out_width; });
        std::stable_partition(strips.begin(), strips.end(), [&](int strip) { return strip == expected; });
    }
    LayerList layers;
    for (const int strip : strips) layers.push_back(std::make_unique<DepthwiseLayer>(context, shape, strip));
    if (!is_square_in_front(layer.window)) return layers;
    for (auto& tensor : depthwise_tensor_layers(context)) layers.push_back(std::move(tensor));
    return layers;
}

}  // namespace hacscale::cuda
