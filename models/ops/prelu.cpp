// A leaky ReLU whose slope below zero is learned for each channel (He et al. 2015).
#include "models/ops/layer_weights.hpp"
#include "models/ops/normalization.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator prelu_operator{
    .kind = LayerKind::prelu,
    .name = "prelu",
    .onnx_names = {"PRelu"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key = [](const LayerSpec&, KeyWriter&) {},
    .read_key = [](KeyReader&, LayerSpec&) {},

    .product_weights = one_a_channel,
    .weights =
        [](const LayerSpec& layer) {
            return std::vector<WeightPart>{{"slope", {layer.in_channels}, &LayerWeights::weights}};
        },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            LayerWeights out;
            out.weights = random.uniform(layer.in_channels, 0.25);
            for (float& slope : out.weights) slope += 0.25F;
            return out;
        },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                const double x = call.input()[in.at(n, c, oh, ow)];
                return x < 0.0 ? x * static_cast<double>(call.weights.weights[c]) : x;
            });
        },
};

}  // namespace hacscale
