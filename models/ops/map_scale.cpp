// Each element of an image times a number of its own, then an activation: rotary position embeddings, masks, scales of several axes.
#include "models/ops/learned_map.hpp"
#include "models/ops/operator_text.hpp"

namespace hacscale {

constinit const Operator map_scale_operator{
    .kind = LayerKind::map_scale,
    .name = "map_scale",
    .onnx_names = {"Mul"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.activation(layer); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { key.optional_activation(layer); },

    .product_weights = elements_of_map,
    .weights = [](const LayerSpec& layer) -> std::vector<WeightPart> {
        return {{"weight", {layer.in_channels, layer.in_height, layer.in_width}, &LayerWeights::weights}};
    },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            // Around 1.
            constexpr double half_width = 0.25;
            LayerWeights weights{random.uniform(elements_of_map(layer), half_width), {}, {}, {}};
            for (float& number : weights.weights) number += 1.0F;
            return weights;
        },

    .reference =
        [](const ReferenceCall& call) {
            return outputs_with_map(call, call.weights.weights,
                                    [](double x, double number) { return x * number; });
        },
};

}  // namespace hacscale
