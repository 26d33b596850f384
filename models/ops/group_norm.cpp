// Over each group of channels of an image, all positions together: (x - mean) / sqrt(variance + epsilon), then a scale and a
// shift for each channel, and an activation (Wu and He 2018). With a group a channel it is an instance norm. By Mode::root_mean_square
// x / sqrt(mean of x^2 + epsilon) instead (Singh and Krishnan 2020), by Mode::keep_mean x / sqrt(variance + epsilon) (in EvoNorm-S0,
// Liu et al. 2020).
#include <cmath>

#include "models/ops/layer_weights.hpp"
#include "models/ops/normalization.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

namespace {

std::vector<double> group_norm_outputs(const ReferenceCall& call) {
    const MapShape in = input_map(call);
    const int pixels = in.height * in.width;
    const int share = in.channels / call.layer.groups;
    std::vector<double> result(in.size());
    for (int n = 0; n < in.batch; ++n) {
        for (int c = 0; c < in.channels; ++c) {
            const auto [mean, variance] =
                normalized_by(call.layer.mode, moments_of(call, n, c / share * share, share, 0, pixels));
            const double factor = call.weights.weights[c] / std::sqrt(variance + call.layer.epsilon.value());
            for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                const double scaled = (call.input()[i] - mean) * factor;
                result[i] = activate(call.layer, scaled + call.weights.bias[c]);
            }
        }
    }
    return result;
}

}  // namespace

constinit const Operator group_norm_operator{
    .kind = LayerKind::group_norm,
    .name = "group_norm",
    .onnx_names = {"GroupNormalization", "InstanceNormalization"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    // Groups are whole, as those of a grouped conv: how many channels one has is the network's choice.
    .channel_tie =
        [](const LayerSpec& layer) {
            const bool each_alone = layer.groups == layer.in_channels;
            return layer.groups == 1 || each_alone ? ChannelTie::one_to_one : ChannelTie::grouped;
        },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('g', layer.groups);
            write_epsilon(layer, key);
            write_norm_mode(layer, key);
            key.activation(layer);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.groups = key.number("g", "the groups as g<n>");
            read_epsilon(key, layer);
            read_norm_mode(key, layer);
            key.optional_activation(layer);
        },
    .validate = norm_fault,

    .product_weights = one_a_channel,
    .offsets = one_a_channel,
    .weights = scale_and_shift,
    .random_weights = random_scale_and_shift,

    .reference = group_norm_outputs,
};

}  // namespace hacscale
