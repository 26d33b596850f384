// The transpose of a convolution: each element of the input is spread over a window of the output, with bias and activation
// fused. The output has (in - 1) stride + span - pads elements along an axis; ONNX's output_padding is less padding at the
// far side.
#include <fmt/format.h>

#include <algorithm>

#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

std::int64_t output_elements(const LayerSpec& layer, int axis) {
    const Window& window = layer.window;
    const std::int64_t in = axis == 0 ? layer.in_height : layer.in_width;
    return (in - 1) * window.strides[axis] + window.span(axis) - window.pads[axis] - window.pads[axis + 2];
}

std::array<int, 2> spread_size(const LayerSpec& layer) {
    const auto limited = [&](int axis) {
        return static_cast<int>(
            std::clamp<std::int64_t>(output_elements(layer, axis), 0, max_layer_size + 1));
    };
    return {limited(0), limited(1)};
}

std::int64_t weight_count(const LayerSpec& layer) {
    return std::int64_t{layer.in_channels} * (layer.out_channels / layer.groups) * layer.window.taps();
}

ChannelTie tie_of(const LayerSpec& layer) {
    if (layer.groups == 1) return ChannelTie::free;
    const bool depthwise = layer.groups == layer.in_channels && layer.groups == layer.out_channels;
    return depthwise ? ChannelTie::one_to_one : ChannelTie::grouped;
}

void write_spread(const LayerSpec& layer, KeyWriter& key) {
    key.number('o', layer.out_channels);
    key.window(layer.window);
    key.number('g', layer.groups);
    key.word_if(layer.bias, "bias");
    key.activation(layer);
}

void read_spread(KeyReader& key, LayerSpec& layer) {
    layer.out_channels = key.output_channels();
    layer.window = key.window();
    layer.groups = key.number("g", "the groups as g<n>");
    layer.bias = key.take_word("bias");
    key.optional_activation(layer);
}

std::optional<std::string> spread_fault(const LayerSpec& layer) {
    for (const int axis : {0, 1}) {
        const std::int64_t size = output_elements(layer, axis);
        if (size >= 1 && size <= max_layer_size) continue;
        return fmt::format("the output's {} is {}, expected 1 to {}", axis == 0 ? "height" : "width", size,
                           max_layer_size);
    }
    return std::nullopt;
}

// Weights are ordered as PyTorch and ONNX have them: input channel, output channel of its group, row, column.
std::vector<double> spread(const ReferenceCall& call) {
    const LayerSpec& layer = call.layer;
    const Window& window = layer.window;
    const MapShape in = input_map(call);
    const int in_share = layer.in_channels / layer.groups;
    const int out_share = layer.out_channels / layer.groups;
    // The element of the input that puts something at `out` by this tap; negative where none does.
    const auto source = [&](int out, int tap, int axis, int size) {
        const int distance = out + window.pads[axis] - tap * window.dilations[axis];
        if (distance < 0 || distance % window.strides[axis] != 0) return -1;
        const int element = distance / window.strides[axis];
        return element < size ? element : -1;
    };
    return at_each_output(call, [&](int n, int oc, int oh, int ow) {
        const int group = oc / out_share;
        double sum = layer.bias ? call.weights.bias[oc] : 0.0;
        for (int kh = 0; kh < window.kernel[0]; ++kh) {
            const int ih = source(oh, kh, 0, in.height);
            for (int kw = 0; ih >= 0 && kw < window.kernel[1]; ++kw) {
                const int iw = source(ow, kw, 1, in.width);
                for (int c = 0; iw >= 0 && c < in_share; ++c) {
                    const int ic = group * in_share + c;
                    const MapShape weights{layer.in_channels, out_share, window.kernel[0], window.kernel[1]};
                    sum += call.input()[in.at(n, ic, ih, iw)] *
                           static_cast<double>(call.weights.weights[weights.at(ic, oc % out_share, kh, kw)]);
                }
            }
        }
        return activate(layer, sum);
    });
}

}  // namespace

constinit const Operator transposed_conv_operator{
    .kind = LayerKind::transposed_conv,
    .name = "transposed_conv",
    .onnx_names = {"ConvTranspose"},
    .output_size = spread_size,
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = tie_of,
    .second_axis = [](const LayerSpec& layer) -> int LayerSpec::* {
        const bool together = layer.groups > 1 && layer.in_channels == layer.out_channels;
        return together ? nullptr : &LayerSpec::out_channels;
    },

    .write_key = write_spread,
    .read_key = read_spread,
    .validate = spread_fault,

    // Each weight is used once an input pixel.
    .macs =
        [](const LayerSpec& layer) {
            return static_cast<double>(weight_count(layer)) * layer.in_height * layer.in_width;
        },
    .product_weights = weight_count,
    .offsets = [](const LayerSpec& layer) { return std::int64_t{layer.bias ? layer.out_channels : 0}; },

    .weights =
        [](const LayerSpec& layer) {
            const auto& [height, width] = layer.window.kernel;
            const int share = layer.out_channels / layer.groups;
            std::vector<WeightPart> parts{
                {"weight", {layer.in_channels, share, height, width}, &LayerWeights::weights}};
            if (layer.bias) parts.push_back({"bias", {layer.out_channels}, &LayerWeights::bias});
            return parts;
        },
    // An output element is the sum of as many products as the strides leave of the window.
    .random_weights =
        [](const LayerSpec& layer, RandomValues& random) {
            const double steps = 1.0 * layer.window.strides[0] * layer.window.strides[1];
            const double fan_in =
                1.0 * layer.in_channels / layer.groups * static_cast<double>(layer.window.taps()) / steps;
            LayerWeights out;
            out.weights = random.of_variance(weight_count(layer), 2.0 / std::max(1.0, fan_in));
            if (layer.bias) out.bias = random.uniform(layer.out_channels, 0.1);
            return out;
        },

    .reference = spread,
};

}  // namespace hacscale
