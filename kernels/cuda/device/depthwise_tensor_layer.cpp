#include "kernels/cuda/device/depthwise_tensor.hpp"

#include "kernels/cuda/device/handwritten_layers.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
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
        DepthwiseTensorParams params;
        params.input = buffers.input;
        params.weights = part<std::uint32_t>(buffers.weights, 0);
        params.bias = part<float>(buffers.weights, bias_offset_);
        params.residual = layer_.residual ? buffers.residual : nullptr;
        params.output = buffers.output;
        params.channels = layer_.in_channels;
        params.in_height = layer_.in_height;
        params.in_width = layer_.in_width;
        params.out_height = layer_.out_height();
        params.out_width = layer_.out_width();
        params.padding = layer_.padding();
        params.activation = layer_.activation;
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
