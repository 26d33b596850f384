#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

class LinearLayer final : public CudaLayer {
public:
    explicit LinearLayer(const LayerContext& context)
        : layer_(context.layer),
          type_(context.type),
          vectors_(fits_vectors(features(), type_)),
          tiling_(tile_linear(layer_.out_channels, context.batch, context.device.multiprocessors)) {
        parts_.add(static_cast<std::size_t>(layer_.out_channels) * features() * size_of(type_));
        bias_offset_ = parts_.add(layer_.out_channels * sizeof(float));
    }

    std::string implementation() const override {
        return kernel_name(
            "linear n" + std::to_string(tiling_.images) + " lanes" + std::to_string(tiling_.lanes.value()),
            vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    // Weights are for an input flattened as CHW; in memory it is HWC.
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const auto channels = static_cast<std::size_t>(layer_.in_channels);
        const std::size_t row = features();
        for (std::size_t o = 0; o < static_cast<std::size_t>(layer_.out_channels); ++o) {
            pack_elements(
                transposed(std::span(weights.weights).subspan(o * row, row), channels, row / channels), type_,
                packed.subspan(o * row * size_of(type_)));
        }
        pack_floats(weights.bias, layer_.out_channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        LinearParams params;
        params.input = buffers.input;
        params.weights = buffers.weights;
        params.bias = part<float>(buffers.weights, bias_offset_);
        params.output = buffers.output;
        params.features = features();
        params.activation = layer_.activation;
        params.tiling = tiling_;
        launch_linear(params, type_, vectors_, stream);
    }

private:
    int features() const { return layer_.in_channels * layer_.in_height * layer_.in_width; }

    LayerSpec layer_;
    DataType type_;
    bool vectors_;
    LinearTiling tiling_;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

}  // namespace

LayerList linear_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<LinearLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
