// Convolution, with bias, residual add and activation fused. Grouped where `groups` is above 1, depthwise where
// each channel is a group.
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

// One output, at a position of the dense output tensor.
double conv_output(const ReferenceCall& call, std::size_t position) {
    const LayerSpec& layer = call.layer;
    const MapShape in = input_map(call);
    const MapShape out = output_map(call);
    const int ow = static_cast<int>(position % out.width);
    const int oh = static_cast<int>(position / out.width % out.height);
    const std::size_t plane = position / out.width / out.height;
    const int oc = static_cast<int>(plane % out.channels);
    const int n = static_cast<int>(plane / out.channels);
    const int group_in = layer.in_channels / layer.groups;
    const int first_in = oc / (layer.out_channels / layer.groups) * group_in;
    const int height = layer.window.kernel[0];
    const int width = layer.window.kernel[1];
    double sum = layer.bias ? call.weights.bias[oc] : 0.0;
    for_window(layer, oh, ow, [&](int kh, int kw, int ih, int iw) {
        for (int ic = 0; ic < group_in; ++ic) {
            const std::size_t w = ((static_cast<std::size_t>(oc) * group_in + ic) * height + kh) * width + kw;
            sum +=
                call.input()[in.at(n, first_in + ic, ih, iw)] * static_cast<double>(call.weights.weights[w]);
        }
    });
    if (layer.residual) sum += call.residual()[position];
    return activate(layer, sum);
}

std::int64_t weights_an_output(const LayerSpec& layer) {
    return layer.in_channels / layer.groups * layer.window.taps();
}

}  // namespace

constinit const Operator conv_operator{
    .kind = LayerKind::conv,
    .name = "conv",
    .onnx_names = {"Conv"},
    .output_size = window_positions,
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie =
        [](const LayerSpec& layer) {
            if (layer.depthwise()) return ChannelTie::one_to_one;
            return layer.groups == 1 ? ChannelTie::free : ChannelTie::grouped;
        },
    // With groups, the input channels of a group are fixed (LayerFamily), and both widths vary together.
    .second_axis = [](const LayerSpec& layer) -> int LayerSpec::* {
        const bool together = layer.groups > 1 && layer.in_channels == layer.out_channels;
        return together ? nullptr : &LayerSpec::out_channels;
    },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('o', layer.out_channels);
            key.window(layer.window);
            key.number('g', layer.groups);
            key.word_if(layer.bias, "bias");
            key.word_if(layer.residual, "add");
            key.activation(layer);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.out_channels = key.output_channels();
            layer.window = key.window();
            layer.groups = key.number("g", "the groups as g<n>");
            layer.bias = key.take_word("bias");
            layer.residual = key.take_word("add");
            key.optional_activation(layer);
        },

    // Each weight is used once an output pixel.
    .macs =
        [](const LayerSpec& layer) {
            return 1.0 * layer.out_channels * layer.out_height() * layer.out_width() *
                   static_cast<double>(weights_an_output(layer));
        },
    .product_weights = [](const LayerSpec& layer) { return layer.out_channels * weights_an_output(layer); },
    .offsets = [](const LayerSpec& layer) -> std::int64_t { return layer.bias ? layer.out_channels : 0; },

    .weights =
        [](const LayerSpec& layer) {
            const auto& [height, width] = layer.window.kernel;
            std::vector<WeightPart> parts{
                {"weight",
                 {layer.out_channels, layer.in_channels / layer.groups, height, width},
                 &LayerWeights::weights}};
            if (layer.bias) parts.push_back({"bias", {layer.out_channels}, &LayerWeights::bias});
            return parts;
        },
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            const std::int64_t fan_in = weights_an_output(layer);
            const double variance = (layer.residual ? 0.5 : 2.0) / static_cast<double>(fan_in);
            LayerWeights out;
            out.weights = random.of_variance(layer.out_channels * fan_in, variance);
            if (layer.bias) out.bias = random.uniform(layer.out_channels, 0.1);
            return out;
        },

    .reference =
        [](const ReferenceCall& call) {
            std::vector<double> result(output_map(call).size());
            for (std::size_t i = 0; i < result.size(); ++i) result[i] = conv_output(call, i);
            return result;
        },
    .reference_at = conv_output,
};

}  // namespace hacscale
