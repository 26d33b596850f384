#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// [in channel][output of its group][tap] as [tap][input of a group][out channel].
std::vector<float> outputs_innermost(const LayerSpec& layer, const std::vector<float>& weights) {
    const auto inputs = static_cast<std::size_t>(layer.in_channels / layer.groups);
    const auto outputs = static_cast<std::size_t>(layer.out_channels / layer.groups);
    const auto taps = static_cast<std::size_t>(layer.window.taps());
    std::vector<float> turned(weights.size());
    for (std::size_t in = 0; in < static_cast<std::size_t>(layer.in_channels); ++in) {
        for (std::size_t out = 0; out < outputs; ++out) {
            for (std::size_t tap = 0; tap < taps; ++tap) {
                const std::size_t row = tap * inputs + in % inputs;
                turned[row * static_cast<std::size_t>(layer.out_channels) + in / inputs * outputs + out] =
                    weights[(in * outputs + out) * taps + tap];
            }
        }
    }
    return turned;
}

class TransposedConvLayer final : public CudaLayer {
public:
    explicit TransposedConvLayer(const LayerContext& context)
        : layer_(context.layer), batch_(context.batch), type_(context.type) {
        const int outputs = layer_.out_channels / layer_.groups;
        const bool depthwise = outputs == 1 && layer_.in_channels == layer_.groups;
        vectors_ = fits_vectors(depthwise ? layer_.out_channels : outputs, type_);
        parts_.add(static_cast<std::size_t>(product_weights(layer_)) * size_of(type_));
        bias_offset_ = parts_.add(layer_.out_channels * sizeof(float));
    }

    std::string implementation() const override {
        return kernel_name("transposed_conv " + window_name(layer_.window), vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_elements(outputs_innermost(layer_, weights.weights), type_, packed);
        pack_floats(weights.bias, layer_.out_channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        const Window& window = layer_.window;
        TransposedConvParams params;
        params.input = buffers.input;
        params.weights = buffers.weights;
        params.bias = part<float>(buffers.weights, bias_offset_);
        params.output = buffers.output;
        params.in_channels = layer_.in_channels;
        params.out_channels = layer_.out_channels;
        params.group_inputs = layer_.in_channels / layer_.groups;
        params.activation = layer_.activation;
        params.group_outputs = Divisor(layer_.out_channels / layer_.groups);
        params.rows = {layer_.in_height, window.kernel[0], window.pads[0], window.dilations[0],
                       Divisor(window.strides[0])};
        params.columns = {layer_.in_width, window.kernel[1], window.pads[1], window.dilations[1],
                          Divisor(window.strides[1])};
        const int vectors = layer_.out_channels / (vectors_ ? vector_width_of(type_) : 1);
        params.vectors = Divisor(vectors);
        params.out_width = Divisor(layer_.out_width());
        params.out_height = Divisor(layer_.out_height());
        params.count = batch_ * layer_.out_height() * layer_.out_width() * vectors;
        launch_transposed_conv(params, type_, vectors_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_ = false;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

}  // namespace

LayerList transposed_conv_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<TransposedConvLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
