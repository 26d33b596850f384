// Activations, by themselves and fused: as the operator that ONNX has for one, or in the nodes that PyTorch's exporter writes.
#include <cmath>
#include <numbers>

#include "models/formats/onnx_export/detail/layer_export.hpp"

namespace hacscale::detail {
namespace {

constexpr std::int64_t opset_of_hard_swish = 14;
constexpr std::int64_t opset_of_gelu = 20;
constexpr std::int64_t opset_of_clip_inputs = 11;

// PyTorch's: clip(x / 6 + 1 / 2, 0, 1).
OnnxAttributes hard_sigmoid_attributes() {
    return {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}};
}

std::string relu6(LayerExport& out, const std::string& x, bool is_layer) {
    if (out.opset() < opset_of_clip_inputs) {
        return out.add_as(is_layer, "Clip", {x}, {{"min", 0.0F}, {"max", 6.0F}});
    }
    return out.add_as(is_layer, "Clip", {x, out.writer.scalar(0.0F), out.writer.scalar(6.0F)});
}

std::string hard_swish(LayerExport& out, const std::string& x, bool is_layer) {
    if (out.opset() >= opset_of_hard_swish) return out.add_as(is_layer, "HardSwish", {x});
    const std::string gate = out.add_part("HardSigmoid", {x}, hard_sigmoid_attributes());
    return out.add_as(is_layer, "Mul", {x, gate});
}

// x (1 + erf(x / sqrt 2)) / 2
std::string gelu(LayerExport& out, const std::string& x, bool is_layer) {
    if (out.opset() >= opset_of_gelu) return out.add_as(is_layer, "Gelu", {x});
    OnnxWriter& writer = out.writer;
    const std::string scaled =
        out.add_part("Div", {x, writer.scalar(static_cast<float>(std::numbers::sqrt2))});
    const std::string share = out.add_part("Add", {out.add_part("Erf", {scaled}), writer.scalar(1.0F)});
    return out.add_as(is_layer, "Mul", {out.add_part("Mul", {x, share}), writer.scalar(0.5F)});
}

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
std::string gelu_tanh(LayerExport& out, const std::string& x, bool is_layer) {
    if (out.opset() >= opset_of_gelu) {
        return out.add_as(is_layer, "Gelu", {x}, {{"approximate", std::string("tanh")}});
    }
    OnnxWriter& writer = out.writer;
    const std::string cube = out.add_part("Mul", {x, out.add_part("Mul", {x, x})});
    const std::string sum = out.add_part("Add", {x, out.add_part("Mul", {writer.scalar(0.044715F), cube})});
    const auto factor = static_cast<float>(std::sqrt(2.0 / std::numbers::pi));
    const std::string curve = out.add_part("Tanh", {out.add_part("Mul", {writer.scalar(factor), sum})});
    const std::string share = out.add_part("Add", {writer.scalar(1.0F), curve});
    return out.add_as(is_layer, "Mul", {writer.scalar(0.5F), out.add_part("Mul", {x, share})});
}

}  // namespace

std::string write_curve(LayerExport& out, Activation activation, Parameter alpha, const std::string& x,
                        bool is_layer) {
    switch (activation) {
        case Activation::none:
            break;
        case Activation::relu:
            return out.add_as(is_layer, "Relu", {x});
        case Activation::relu6:
            return relu6(out, x, is_layer);
        case Activation::silu:
            return out.add_as(is_layer, "Mul", {x, out.add_part("Sigmoid", {x})});
        case Activation::hard_swish:
            return hard_swish(out, x, is_layer);
        case Activation::sigmoid:
            return out.add_as(is_layer, "Sigmoid", {x});
        case Activation::hard_sigmoid:
            return out.add_as(is_layer, "HardSigmoid", {x}, hard_sigmoid_attributes());
        case Activation::gelu:
            return gelu(out, x, is_layer);
        case Activation::gelu_tanh:
            return gelu_tanh(out, x, is_layer);
        case Activation::leaky_relu:
            return out.add_as(is_layer, "LeakyRelu", {x}, {{"alpha", alpha.value()}});
        case Activation::mish: {
            const std::string curve = out.add_part("Tanh", {out.add_part("Softplus", {x})});
            return out.add_as(is_layer, "Mul", {x, curve});
        }
        case Activation::softplus:
            return out.add_as(is_layer, "Softplus", {x});
        case Activation::elu:
            return out.add_as(is_layer, "Elu", {x}, {{"alpha", alpha.value()}});
        case Activation::tanh:
            return out.add_as(is_layer, "Tanh", {x});
    }
    return x;
}

std::string write_standalone_activation(LayerExport& out) {
    return write_curve(out, out.layer().activation, out.layer().alpha, out.input(), /*is_layer=*/true);
}

}  // namespace hacscale::detail
