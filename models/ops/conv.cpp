// Convolution, with bias, residual add and activation fused. Grouped where `groups` is above 1, depthwise where
// each channel is a group.
#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

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

// ---- All outputs, a plane (an image's channel) after another. Each output is the same sum in the same order as above ----

// Output positions along an axis, [begin, end), at which the tap is on the map.
struct Covered {
    int begin, end;
};
Covered covered(const LayerSpec& layer, int axis, int tap, int out) {
    const Window& window = layer.window;
    const int stride = window.strides[axis];
    const int in = axis == 0 ? layer.in_height : layer.in_width;
    const int first = window.first(0, axis) + tap * window.dilations[axis];
    const int begin = first < 0 ? (stride - 1 - first) / stride : 0;
    const int end = in > first ? std::min(out, (in - 1 - first) / stride + 1) : 0;
    return {begin, std::max(begin, end)};
}

// One row for `Channels` input channels, whose rows are `apart`. A constant stride lets the compiler use vectors.
template <int Channels, int Stride>
void add_row(double* out, const double* in, std::size_t apart, const double* weights, int count, int stride) {
    for (int i = 0; i < count; ++i) {
        double sum = out[i];
        for (int c = 0; c < Channels; ++c) {
            sum += in[static_cast<std::size_t>(c) * apart +
                      static_cast<std::size_t>(i) * (Stride == 0 ? stride : Stride)] *
                   weights[c];
        }
        out[i] = sum;
    }
}

template <int Channels>
void add_any_row(double* out, const double* in, std::size_t apart, const double* weights, int count,
                 int stride) {
    if (stride == 1) {
        add_row<Channels, 1>(out, in, apart, weights, count, 1);
    } else {
        add_row<Channels, 0>(out, in, apart, weights, count, stride);
    }
}

// Adds the products of one tap and `Channels` input channels from `first` on to a plane of the output.
template <int Channels>
void add_tap(const ReferenceCall& call, int n, int oc, int first, int kh, int kw, double* out) {
    const LayerSpec& layer = call.layer;
    const MapShape in = input_map(call);
    const int out_width = layer.out_width();
    const auto [top, bottom] = covered(layer, 0, kh, layer.out_height());
    const Covered columns = covered(layer, 1, kw, out_width);
    const int left = columns.begin;
    const int right = columns.end;
    const int group_in = layer.in_channels / layer.groups;
    const int group_first = oc / (layer.out_channels / layer.groups) * group_in;
    const auto& [height, width] = layer.window.kernel;
    std::array<double, Channels> weights;
    for (int c = 0; c < Channels; ++c) {
        weights[c] =
            call.weights
                .weights[((static_cast<std::size_t>(oc) * group_in + first + c) * height + kh) * width + kw];
    }
    const std::size_t apart = in.at(0, 1, 0, 0);
    const auto& strides = layer.window.strides;
    const auto add = [&](int oh, int count) {
        const int ih = layer.window.first(oh, 0) + kh * layer.window.dilations[0];
        const int iw = layer.window.first(left, 1) + kw * layer.window.dilations[1];
        add_any_row<Channels>(out + std::size_t(oh) * out_width + left,
                              &call.input()[in.at(n, group_first + first, ih, iw)], apart, weights.data(),
                              count, strides[1]);
    };
    if (right <= left || bottom <= top) return;
    // Whole rows that follow each other are one.
    if (strides == std::array{1, 1} && right - left == in.width && in.width == out_width) {
        add(top, (bottom - top) * out_width);
        return;
    }
    for (int oh = top; oh < bottom; ++oh) add(oh, right - left);
}

void conv_plane(const ReferenceCall& call, std::size_t plane, double* out) {
    const LayerSpec& layer = call.layer;
    const int n = static_cast<int>(plane) / layer.out_channels;
    const int oc = static_cast<int>(plane) % layer.out_channels;
    const std::size_t pixels = static_cast<std::size_t>(layer.out_height()) * layer.out_width();
    const int group_in = layer.in_channels / layer.groups;
    constexpr int at_once = 4;
    std::fill_n(out, pixels, layer.bias ? static_cast<double>(call.weights.bias[oc]) : 0.0);
    for (int kh = 0; kh < layer.window.kernel[0]; ++kh) {
        for (int kw = 0; kw < layer.window.kernel[1]; ++kw) {
            int ic = 0;
            for (; ic + at_once <= group_in; ic += at_once) add_tap<at_once>(call, n, oc, ic, kh, kw, out);
            for (; ic < group_in; ++ic) add_tap<1>(call, n, oc, ic, kh, kw, out);
        }
    }
    const double* const residual = layer.residual ? &call.residual()[plane * pixels] : nullptr;
    for (std::size_t i = 0; i < pixels; ++i) {
        out[i] = activate(layer, residual == nullptr ? out[i] : out[i] + residual[i]);
    }
}

std::vector<double> conv_outputs(const ReferenceCall& call) {
    const MapShape out = output_map(call);
    std::vector<double> result(out.size());
    call.each(static_cast<std::size_t>(out.batch) * out.channels,
              [&](std::size_t plane) { conv_plane(call, plane, &result[plane * out.at(0, 1, 0, 0)]); });
    return result;
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

    .reference = conv_outputs,
    .reference_at = conv_output,
};

}  // namespace hacscale
