#include <optional>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

struct PixelShare {
    int lanes = warp_lanes;
    int vectors = 0;  // of a lane; 0: too many for registers
};

// With the fewest idle places. Among those, few lanes have more loads in flight each and fewer exchanges, and many lanes
// fill a device with few pixels.
PixelShare share_pixel(int vectors, std::int64_t pixels, int multiprocessors) {
    constexpr int threads_wanted = 1024;  // of a multiprocessor
    std::optional<PixelShare> best;
    for (int lanes = 1; lanes <= warp_lanes; lanes *= 2) {
        const PixelShare share{lanes, ceil_div(vectors, lanes)};
        if (share.vectors > max_kept_vectors) continue;
        const auto idle = [&](const PixelShare& one) { return one.lanes * one.vectors - vectors; };
        const bool fills = best && pixels * best->lanes >= std::int64_t{threads_wanted} * multiprocessors;
        if (!best || idle(share) < idle(*best) || (idle(share) == idle(*best) && !fills)) best = share;
    }
    return best.value_or(PixelShare{});
}

class LayerNormLayer final : public CudaLayer {
public:
    explicit LayerNormLayer(const LayerContext& context)
        : layer_(context.layer),
          pixels_(context.batch * layer_.in_height * layer_.in_width),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)),
          share_(share_pixel(vectors_of_a_pixel(), pixels_, context.device.multiprocessors)) {
        parts_.add(layer_.in_channels * sizeof(float));
        shift_offset_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    std::string implementation() const override {
        const std::string what = layer_.mode == Mode::root_mean_square ? "rms_norm "
                                 : layer_.mode == Mode::keep_mean      ? "layer_norm keep_mean "
                                                                       : "layer_norm ";
        return kernel_name(what + std::to_string(share_.lanes) + "x" + std::to_string(share_.vectors),
                           vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_floats(weights.weights, layer_.in_channels, packed);
        pack_floats(weights.bias, layer_.in_channels, packed.subspan(shift_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        LayerNormParams params;
        params.input = buffers.input;
        params.scale = part<float>(buffers.weights, 0);
        params.shift = part<float>(buffers.weights, shift_offset_);
        params.output = buffers.output;
        params.pixels = pixels_;
        params.channels = layer_.in_channels;
        params.vectors = vectors_of_a_pixel();
        params.lanes = share_.lanes;
        params.lane_vectors = share_.vectors;
        params.epsilon = layer_.epsilon.value();
        params.has_mean = layer_.mode != Mode::root_mean_square;
        params.takes_mean = layer_.mode == Mode::plain;
        launch_layer_norm(params, type_, vectors_, stream);
    }

private:
    int vectors_of_a_pixel() const { return layer_.in_channels / (vectors_ ? vector_width_of(type_) : 1); }

    LayerSpec layer_;
    int pixels_;
    DataType type_;
    bool vectors_;
    PixelShare share_;
    PartLayout parts_;
    std::size_t shift_offset_ = 0;
};

}  // namespace

LayerList layer_norm_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<LayerNormLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
