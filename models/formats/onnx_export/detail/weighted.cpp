// Convs, linear layers, scales and slopes: layers whose nodes have weights.
#include <algorithm>
#include <array>
#include <utility>

#include "models/formats/onnx_export/detail/layer_export.hpp"

namespace hacscale::detail {
namespace {

OnnxAttributes window_attributes(const LayerSpec& layer) {
    const Window& window = layer.window;
    return {{"kernel_shape", OnnxInts(window.kernel.begin(), window.kernel.end())},
            {"strides", OnnxInts(window.strides.begin(), window.strides.end())},
            {"dilations", OnnxInts(window.dilations.begin(), window.dilations.end())},
            {"pads", OnnxInts(window.pads.begin(), window.pads.end())},
            {"group", std::int64_t{layer.groups}}};
}

std::vector<std::string> with_bias(LayerExport& out, std::vector<std::string> inputs) {
    if (out.layer().bias) inputs.push_back(out.weight("bias", {out.layer().out_channels}, out.weights.bias));
    return inputs;
}

// Padding that is smaller at the far side is one at both sides and a longer output there, as PyTorch has it.
void set_output_padding(const Window& window, OnnxAttributes& attributes) {
    OnnxInts pads(window.pads.begin(), window.pads.end());
    OnnxInts more{0, 0};
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const std::int64_t difference = pads[axis] - pads[axis + 2];
        if (difference <= 0 || difference >= window.strides[axis]) continue;
        more[axis] = difference;
        pads[axis + 2] = pads[axis];
    }
    attributes["pads"] = pads;
    if (more != OnnxInts{0, 0}) attributes["output_padding"] = more;
}

// Gemm without a bias came with opset 11; before, the product is written with transposed weights.
std::string product_without_bias(LayerExport& out, std::int64_t features) {
    const std::int64_t outputs = out.layer().out_channels;
    const std::vector<float>& weights = out.weights.weights;
    std::vector<float> transposed;
    transposed.reserve(weights.size());
    for (std::int64_t i = 0; i < features; ++i) {
        for (std::int64_t o = 0; o < outputs; ++o) transposed.push_back(weights[o * features + i]);
    }
    return out.add("MatMul", {out.input(),
                              out.writer.own_tensor(out.name + ".weight", {features, outputs}, transposed)});
}

bool all_are(const std::vector<float>& values, float value) {
    return std::ranges::all_of(values, [value](float each) { return each == value; });
}

}  // namespace

// The residual is an Add: its operands are the conv's output and what was there before.
std::string write_conv(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const auto& [height, width] = layer.window.kernel;
    const std::string weights = out.weight(
        "weight", {layer.out_channels, layer.in_channels / layer.groups, height, width}, out.weights.weights);
    const std::string output =
        out.add("Conv", with_bias(out, {out.input(), weights}), window_attributes(layer));
    return layer.residual ? out.add_part("Add", {output, out.inputs.back()}) : output;
}

std::string write_transposed_conv(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const auto& [height, width] = layer.window.kernel;
    const std::string weights = out.weight(
        "weight", {layer.in_channels, layer.out_channels / layer.groups, height, width}, out.weights.weights);
    OnnxAttributes attributes = window_attributes(layer);
    set_output_padding(layer.window, attributes);
    return out.add("ConvTranspose", with_bias(out, {out.input(), weights}), std::move(attributes));
}

std::string write_linear(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::int64_t features = std::int64_t{layer.in_channels} * layer.in_height * layer.in_width;
    constexpr std::int64_t bias_is_optional = 11;
    if (!layer.bias && out.opset() < bias_is_optional) return product_without_bias(out, features);
    const std::string weights = out.weight("weight", {layer.out_channels, features}, out.weights.weights);
    return out.add("Gemm", with_bias(out, {out.input(), weights}), {{"transB", std::int64_t{1}}});
}

// A batch-norm of mean 0 and variance 1. What has only scales or only shifts is a product or a sum, and so are numbers that
// nobody learned, whose names are no module's. Neutral numbers stay a batch-norm, as readers drop a product by 1.
std::string write_scale_shift(LayerExport& out) {
    const std::vector<float>& scale = out.weights.weights;
    const std::vector<float>& shift = out.weights.bias;
    const bool learned = out.node.learned_params > 0;
    const bool scales = !all_are(scale, 1.0F);
    const bool shifts = !all_are(shift, 0.0F);
    if (scales != shifts || (scales && !learned)) {
        const auto tensor = [&](const char* part, const std::vector<float>& values) {
            return learned ? out.weight(part, out.per_channel(), values)
                           : out.writer.tensor(out.name + '/' + part, out.per_channel(), values);
        };
        if (!shifts) return out.add("Mul", {out.input(), tensor("weight", scale)});
        if (!scales) return out.add("Add", {out.input(), tensor("bias", shift)});
        return out.add_part("Add",
                            {out.add("Mul", {out.input(), tensor("weight", scale)}), tensor("bias", shift)});
    }
    const std::int64_t channels = out.layer().in_channels;
    const std::string means =
        out.writer.own_tensor(out.name + ".running_mean", {channels}, std::vector<float>(scale.size(), 0.0F));
    const std::string variances =
        out.writer.own_tensor(out.name + ".running_var", {channels}, std::vector<float>(scale.size(), 1.0F));
    return out.add("BatchNormalization",
                   {out.input(), out.weight("weight", {channels}, scale),
                    out.weight("bias", {channels}, shift), means, variances},
                   {{"epsilon", 0.0F}});
}

std::string write_prelu(LayerExport& out) {
    return out.add("PRelu", {out.input(), out.weight("weight", out.per_channel(), out.weights.weights)});
}

}  // namespace hacscale::detail
