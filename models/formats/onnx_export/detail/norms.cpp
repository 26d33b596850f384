// Norms of one image, and gates of channels: layers that one node cannot say.
#include "models/formats/onnx_export/detail/layer_export.hpp"

namespace hacscale::detail {
namespace {

constexpr std::int64_t opset_of_layer_norm = 17;

// sqrt(m + epsilon), m what the norm's mode divides by the root of, over these axes of x.
std::string root_of_moment(LayerExport& out, const std::string& x, const OnnxInts& axes) {
    std::string squared = x;
    if (out.layer().mode != Mode::root_mean_square) {
        squared = out.add_part("Sub", {x, out.reduced("ReduceMean", x, axes)});
    }
    const std::string squares = out.add_part("Pow", {squared, out.writer.scalar(2.0F)});
    const std::string moment = out.reduced("ReduceMean", squares, axes);
    return out.add_part("Sqrt",
                        {out.add_part("Add", {moment, out.writer.scalar(out.layer().epsilon.value())})});
}

// Over the last axis.
std::string layer_norm_of_last(LayerExport& out, const std::string& x) {
    const OnnxInts channels{out.layer().in_channels};
    const std::string scale = out.weight("weight", channels, out.weights.weights);
    const std::string shift = out.weight("bias", channels, out.weights.bias);
    const float epsilon = out.layer().epsilon.value();
    if (out.layer().mode != Mode::plain) {
        const std::string root = root_of_moment(out, x, {-1});
        const std::string factored = out.add_part("Mul", {out.add("Div", {x, root}), scale});
        return out.add_part("Add", {factored, shift});
    }
    if (out.opset() >= opset_of_layer_norm) {
        return out.add("LayerNormalization", {x, scale, shift},
                       {{"axis", std::int64_t{-1}}, {"epsilon", epsilon}});
    }
    const OnnxInts last{-1};
    const std::string centered = out.add_part("Sub", {x, out.reduced("ReduceMean", x, last)});
    const std::string squares = out.add_part("Pow", {centered, out.writer.scalar(2.0F)});
    const std::string variance = out.reduced("ReduceMean", squares, last);
    const std::string deviation =
        out.add_part("Sqrt", {out.add_part("Add", {variance, out.writer.scalar(epsilon)})});
    const std::string scaled = out.add_part("Mul", {out.add("Div", {centered, deviation}), scale});
    return out.add_part("Add", {scaled, shift});
}

// By the root of each group, repeated for the group's elements.
std::string uncentered_group_norm(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::string& x = out.input();
    std::string root;
    if (layer.groups == layer.in_channels) {
        root = root_of_moment(out, x, {2, 3});
    } else {
        const std::int64_t elements =
            std::int64_t{layer.in_channels} / layer.groups * layer.in_height * layer.in_width;
        root = root_of_moment(out, out.reshaped(x, {0, layer.groups, -1}), {2});
        root = out.add_part("Expand", {root, out.writer.integers({1, layer.groups, elements})});
        root = out.reshaped(root, {0, layer.in_channels, layer.in_height, layer.in_width});
    }
    const std::string scaled = out.add_part(
        "Mul", {out.add("Div", {x, root}), out.weight("weight", out.per_channel(), out.weights.weights)});
    return out.add_part("Add", {scaled, out.weight("bias", out.per_channel(), out.weights.bias)});
}

}  // namespace

std::string write_layer_norm(LayerExport& out) {
    if (out.vector) return layer_norm_of_last(out, out.input());
    const std::string last = out.add_part("Transpose", {out.input()}, {{"perm", OnnxInts{0, 2, 3, 1}}});
    return out.add_part("Transpose", {layer_norm_of_last(out, last)}, {{"perm", OnnxInts{0, 3, 1, 2}}});
}

// An instance norm of the groups as channels, then a scale and shift a channel.
std::string write_group_norm(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    if (layer.mode != Mode::plain) return uncentered_group_norm(out);
    const OnnxAttributes epsilon{{"epsilon", layer.epsilon.value()}};
    const OnnxInts channels{layer.in_channels};
    if (layer.groups == layer.in_channels) {
        return out.add("InstanceNormalization",
                       {out.input(), out.weight("weight", channels, out.weights.weights),
                        out.weight("bias", channels, out.weights.bias)},
                       epsilon);
    }
    const std::vector<float> ones(static_cast<std::size_t>(layer.groups), 1.0F);
    const std::vector<float> zeros(ones.size(), 0.0F);
    const std::string one = out.writer.own_tensor(out.name + "/ones", {layer.groups}, ones);
    const std::string zero = out.writer.own_tensor(out.name + "/zeros", {layer.groups}, zeros);
    const std::string groups = out.reshaped(out.input(), {0, layer.groups, -1});
    const std::string normed = out.add("InstanceNormalization", {groups, one, zero}, epsilon);
    const std::string whole = out.reshaped(normed, {0, layer.in_channels, layer.in_height, layer.in_width});
    const std::string scaled =
        out.add_part("Mul", {whole, out.weight("weight", out.per_channel(), out.weights.weights)});
    return out.add_part("Add", {scaled, out.weight("bias", out.per_channel(), out.weights.bias)});
}

// x + (scale (x n) + shift), n = g / (mean of g over the channels + epsilon), g the root of each channel's sum of squares.
std::string write_grn(LayerExport& out) {
    const std::string& x = out.input();
    const std::string norm = out.reduced("ReduceL2", x, {2, 3});
    const std::string mean = out.reduced("ReduceMean", norm, {1});
    const std::string divisor = out.add_part("Add", {mean, out.writer.scalar(out.layer().epsilon.value())});
    const std::string response = out.add_part("Mul", {x, out.add_part("Div", {norm, divisor})});
    const std::string scaled =
        out.add_part("Mul", {out.weight("weight", out.per_channel(), out.weights.weights), response});
    const std::string shifted =
        out.add_part("Add", {out.weight("bias", out.per_channel(), out.weights.bias), scaled});
    return out.add("Add", {x, shifted});
}

// The products are 1x1 convs, as most networks have them.
std::string write_squeeze_excite(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::int64_t channels = layer.in_channels;
    const std::int64_t squeezed = layer.squeeze_channels;
    const std::string pooled = out.add_part("GlobalAveragePool", {out.input()});
    const std::string squeeze = out.add_part(
        "Conv", {pooled, out.weight("squeeze.weight", {squeezed, channels, 1, 1}, out.weights.weights),
                 out.weight("squeeze.bias", {squeezed}, out.weights.bias)});
    const std::string hidden = write_curve(out, layer.activation, layer.alpha, squeeze);
    const std::string excite = out.add_part(
        "Conv", {hidden, out.weight("excite.weight", {channels, squeezed, 1, 1}, out.weights.weights2),
                 out.weight("excite.bias", {channels}, out.weights.bias2)});
    return out.add("Mul", {out.input(), write_curve(out, layer.gate, {}, excite)});
}

// A conv of one dimension along the channels: N C 1 1 as N 1 C, and back.
std::string write_eca(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::int64_t channels = layer.in_channels;
    const std::int64_t kernel = layer.window.kernel[1];
    const std::string row = out.reshaped(out.add_part("GlobalAveragePool", {out.input()}), {0, 1, channels});
    const std::string conv =
        out.add_part("Conv", {row, out.weight("weight", {1, 1, kernel}, out.weights.weights)},
                     {{"kernel_shape", OnnxInts{kernel}}, {"pads", OnnxInts{kernel / 2, kernel / 2}}});
    const std::string gate = out.reshaped(write_curve(out, layer.gate, {}, conv), {0, channels, 1, 1});
    return out.add("Mul", {out.input(), gate});
}

}  // namespace hacscale::detail
