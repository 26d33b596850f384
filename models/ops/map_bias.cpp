// A learned map that is added to each image, then an activation: position embeddings, and what attention adds to its shares by the
// distance of tokens.
#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

std::int64_t elements_of_map(const LayerSpec& layer) {
    return MapSize{layer.in_channels, layer.in_height, layer.in_width}.elements();
}

}  // namespace

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
            const std::vector<float>& map = call.weights.bias;
            std::vector<double> result;
            result.reserve(call.input().size());
            for (const double x : call.input()) {
                result.push_back(
                    activate(call.layer, x + static_cast<double>(map[result.size() % map.size()])));
            }
            return result;
        },
};

}  // namespace hacscale
