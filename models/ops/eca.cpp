// Efficient channel attention (Wang et al. 2020): x * gate(conv over the channels' means), a conv of one dimension with
// window.kernel[1] weights, without bias, padded with zeros so that there are as many gates as channels.
#include <fmt/format.h>

#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator eca_operator{
    .kind = LayerKind::eca,
    .name = "eca",
    .onnx_names = {},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('k', layer.window.kernel[1]);
            key.word(name_of(layer.gate));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.window.kernel[1] = key.number("k", "the kernel as k<n>");
            layer.gate = key.gate();
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.window.kernel[0] != 1 || layer.window.kernel[1] % 2 != 1) {
            return fmt::format("the kernel over channels is {}x{}, expected 1 and an odd number",
                               layer.window.kernel[0], layer.window.kernel[1]);
        }
        return gate_fault(layer.gate);
    },

    // One conv over the channels an image.
    .macs = [](const LayerSpec& layer) { return 1.0 * layer.in_channels * layer.window.kernel[1]; },
    .product_weights = [](const LayerSpec& layer) -> std::int64_t { return layer.window.kernel[1]; },
    .weights =
        [](const LayerSpec& layer) {
            return std::vector<WeightPart>{
                {"weight", {1, 1, layer.window.kernel[1]}, &LayerWeights::weights}};
        },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            LayerWeights out;
            out.weights = random.of_variance(layer.window.kernel[1], 2.0 / layer.window.kernel[1]);
            return out;
        },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            const std::vector<double> means = channel_means(call);
            const int kernel = call.layer.window.kernel[1];
            std::vector<double> result(in.size());
            for (int n = 0; n < in.batch; ++n) {
                for (int c = 0; c < in.channels; ++c) {
                    double sum = 0.0;
                    for (int k = 0; k < kernel; ++k) {
                        const int from = c + k - kernel / 2;
                        if (from < 0 || from >= in.channels) continue;
                        sum +=
                            call.weights.weights[k] * means[static_cast<std::size_t>(n) * in.channels + from];
                    }
                    const double gate = activate(call.layer.gate, 0.0, sum);
                    for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                        result[i] = call.input()[i] * gate;
                    }
                }
            }
            return result;
        },
};

}  // namespace hacscale
