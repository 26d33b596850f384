// A learned map that is added to each image, then an activation: position embeddings, and what attention adds to its shares by the
// distance of tokens.
#include "models/ops/learned_map.hpp"
#include "models/ops/operator_text.hpp"

namespace hacscale {

constinit const Operator map_bias_operator{
    .kind = LayerKind::map_bias,
    .name = "map_bias",
    .onnx_names = {"Add"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.activation(layer); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { key.optional_activation(layer); },

    .offsets = elements_of_map,
    .weights = [](const LayerSpec& layer) -> std::vector<WeightPart> {
        return {{"bias", {layer.in_channels, layer.in_height, layer.in_width}, &LayerWeights::bias}};
    },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            constexpr double half_width = 0.1;
            return LayerWeights{{}, random.uniform(elements_of_map(layer), half_width), {}, {}};
        },

    .reference =
        [](const ReferenceCall& call) {
            return outputs_with_map(call, call.weights.bias,
                                    [](double x, double number) { return x + number; });
        },
};

}  // namespace hacscale
