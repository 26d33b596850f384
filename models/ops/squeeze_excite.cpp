// x * gate(W2 activation(W1 mean(x) + b1) + b2), a channel's mean to a channel's factor.
#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator squeeze_excite_operator{
    .kind = LayerKind::squeeze_excite,
    .name = "squeeze_excite",
    .onnx_names = {},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    // The products mix channels within the gate only.
    .second_axis = [](const LayerSpec&) { return &LayerSpec::squeeze_channels; },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('r', layer.squeeze_channels);
            key.any_activation(layer);
            key.word(name_of(layer.gate));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.squeeze_channels = key.number("r", "the squeeze channels as r<n>");
            key.activation(layer, "an activation");
            layer.gate = key.gate();
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.squeeze_channels < 1 || layer.squeeze_channels > max_layer_size) {
            return fmt::format("squeeze channels is {}, expected 1 to {}", layer.squeeze_channels,
                               max_layer_size);
        }
        return gate_fault(layer.gate);
    },

    // Both products once an image.
    .macs = [](const LayerSpec& layer) { return 2.0 * layer.in_channels * layer.squeeze_channels; },
    .product_weights =
        [](const LayerSpec& layer) { return std::int64_t{2} * layer.in_channels * layer.squeeze_channels; },
    .offsets =
        [](const LayerSpec& layer) { return std::int64_t{layer.squeeze_channels} + layer.in_channels; },

    .weights =
        [](const LayerSpec& layer) {
            const std::int64_t channels = layer.in_channels;
            const std::int64_t squeezed = layer.squeeze_channels;
            return std::vector<WeightPart>{{"squeeze.weight", {squeezed, channels}, &LayerWeights::weights},
                                           {"squeeze.bias", {squeezed}, &LayerWeights::bias},
                                           {"excite.weight", {channels, squeezed}, &LayerWeights::weights2},
                                           {"excite.bias", {channels}, &LayerWeights::bias2}};
        },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            const std::int64_t count = std::int64_t{layer.in_channels} * layer.squeeze_channels;
            LayerWeights out;
            out.weights = random.of_variance(count, 2.0 / layer.in_channels);
            out.bias = random.uniform(layer.squeeze_channels, 0.1);
            out.weights2 = random.of_variance(count, 2.0 / layer.squeeze_channels);
            out.bias2 = random.uniform(layer.in_channels, 0.5);
            return out;
        },

    .reference =
        [](const ReferenceCall& call) {
            const LayerSpec& layer = call.layer;
            const MapShape in = input_map(call);
            const std::vector<double> means = channel_means(call);
            std::vector<double> result(call.input().size());
            for (int n = 0; n < in.batch; ++n) {
                auto hidden = dense(&means[static_cast<std::size_t>(n) * in.channels], in.channels,
                                    layer.squeeze_channels, call.weights.weights, call.weights.bias);
                for (double& value : hidden) value = activate(layer, value);
                auto gate = dense(hidden.data(), hidden.size(), in.channels, call.weights.weights2,
                                  call.weights.bias2);
                for (double& value : gate) value = activate(layer.gate, 0.0, value);
                for (int c = 0; c < in.channels; ++c) {
                    for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                        result[i] = call.input()[i] * gate[c];
                    }
                }
            }
            return result;
        },
};

}  // namespace hacscale
