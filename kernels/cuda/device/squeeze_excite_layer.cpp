#include "kernels/cuda/device/handwritten_layers.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// Positions a thread should have at least, so that its loads overlap.
constexpr int least_visits = 4;

class SqueezeExciteLayer final : public CudaLayer {
public:
    explicit SqueezeExciteLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)),
          tiling_(tile_channels({batch_, layer_.in_channels, layer_.in_height * layer_.in_width, width()},
                                context.device.multiprocessors, least_visits)) {
        const std::size_t matrix = matrix_count() * size_of(type_);
        parts_.add(matrix);
        bias_ = parts_.add(layer_.squeeze_channels * sizeof(float));
        weights2_ = parts_.add(matrix);
        bias2_ = parts_.add(layer_.in_channels * sizeof(float));
        workspace_.add(sizeof(float) * batch_ * tiling_.chunks.value() * layer_.in_channels);
        hidden_ = workspace_.add(sizeof(float) * batch_ * layer_.squeeze_channels);
    }

    std::string implementation() const override {
        return kernel_name("squeeze_excite in " + std::to_string(tiling_.chunks.value()) + " chunks",
                           vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    std::size_t workspace_bytes() const override { return workspace_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const auto channels = static_cast<std::size_t>(layer_.in_channels);
        const auto squeeze = static_cast<std::size_t>(layer_.squeeze_channels);
        pack_elements(weights.weights, type_, packed);
        pack_floats(weights.bias, squeeze, packed.subspan(bias_));
        pack_elements(transposed(weights.weights2, channels, squeeze), type_, packed.subspan(weights2_));
        pack_floats(weights.bias2, channels, packed.subspan(bias2_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        ChannelSumsParams sums;
        sums.input = buffers.input;
        sums.sums = static_cast<float*>(buffers.workspace);
        sums.channels = layer_.in_channels;
        sums.tiling = tiling_;
        launch_channel_sums(sums, type_, vectors_, stream);

        SqueezeParams squeeze;
        squeeze.sums = sums.sums;
        squeeze.weights = buffers.weights;
        squeeze.bias = part<float>(buffers.weights, bias_);
        squeeze.hidden = reinterpret_cast<float*>(static_cast<std::byte*>(buffers.workspace) + hidden_);
        squeeze.batch = batch_;
        squeeze.channels = layer_.in_channels;
        squeeze.positions = tiling_.positions;
        squeeze.chunks = tiling_.chunks.value();
        squeeze.squeeze = Divisor(layer_.squeeze_channels);
        squeeze.vectors = Divisor(layer_.in_channels / width());
        squeeze.activation = layer_.activation;
        launch_squeeze(squeeze, type_, vectors_, stream);

        ExciteParams excite;
        excite.input = buffers.input;
        excite.hidden = squeeze.hidden;
        excite.weights = part<std::byte>(buffers.weights, weights2_);
        excite.bias = part<float>(buffers.weights, bias2_);
        excite.output = buffers.output;
        excite.channels = layer_.in_channels;
        excite.squeeze = layer_.squeeze_channels;
        excite.gate = layer_.gate;
        excite.tiling = tiling_;
        launch_excite(excite, type_, vectors_, stream);
    }

private:
    int width() const { return vectors_ ? vector_width_of(type_) : 1; }
    std::size_t matrix_count() const {
        return static_cast<std::size_t>(layer_.in_channels) * layer_.squeeze_channels;
    }

    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_;
    ChannelTiling tiling_;
    PartLayout parts_, workspace_;
    std::size_t bias_ = 0, weights2_ = 0, bias2_ = 0, hidden_ = 0;
};

}  // namespace

LayerList squeeze_excite_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<SqueezeExciteLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
