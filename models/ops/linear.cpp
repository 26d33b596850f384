// Fully connected, with bias and activation fused. The input is flattened as channels, height, width.
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

std::int64_t features_of(const LayerSpec& layer) {
    return std::int64_t{layer.in_channels} * layer.in_height * layer.in_width;
}

}  // namespace

constinit const Operator linear_operator{
    .kind = LayerKind::linear,
    .name = "linear",
    .onnx_names = {"Gemm", "MatMul"},
    .output_size = one_pixel,
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = [](const LayerSpec&) { return ChannelTie::free; },
    .second_axis = [](const LayerSpec&) { return &LayerSpec::out_channels; },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('o', layer.out_channels);
            key.word_if(layer.bias, "bias");
            key.activation(layer);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.out_channels = key.output_channels();
            layer.bias = key.take_word("bias");
            key.optional_activation(layer);
        },

    .macs =
        [](const LayerSpec& layer) {
            return 1.0 * layer.out_channels * static_cast<double>(features_of(layer));
        },
    .product_weights = [](const LayerSpec& layer) { return layer.out_channels * features_of(layer); },
    .offsets = [](const LayerSpec& layer) -> std::int64_t { return layer.bias ? layer.out_channels : 0; },

    .weights =
        [](const LayerSpec& layer) {
            std::vector<WeightPart> parts{
                {"weight", {layer.out_channels, features_of(layer)}, &LayerWeights::weights}};
            if (layer.bias) parts.push_back({"bias", {layer.out_channels}, &LayerWeights::bias});
            return parts;
        },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            const std::int64_t fan_in = features_of(layer);
            LayerWeights out;
            out.weights = random.of_variance(layer.out_channels * fan_in, 2.0 / static_cast<double>(fan_in));
            if (layer.bias) out.bias = random.uniform(layer.out_channels, 0.1);
            return out;
        },

    .reference =
        [](const ReferenceCall& call) {
            const std::size_t features = call.input().size() / call.batch;
            std::vector<double> result;
            for (int n = 0; n < call.batch; ++n) {
                for (const double y : dense(&call.input()[n * features], features, call.layer.out_channels,
                                            call.weights.weights, call.weights.bias)) {
                    result.push_back(activate(call.layer, y));
                }
            }
            return result;
        },
};

}  // namespace hacscale
