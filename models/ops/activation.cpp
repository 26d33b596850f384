// An activation by itself, where no layer before it can apply it: behind a sum of several branches, or on a tensor that
// others read without it.
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator activation_operator{
    .kind = LayerKind::activation,
    .name = "activation",
    .onnx_names = {},  // each activation has its own
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.any_activation(layer); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { key.activation(layer, "the activation"); },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.activation != Activation::none) return std::nullopt;
        return "an activation layer without an activation computes nothing";
    },

    .reference =
        [](const ReferenceCall& call) {
            std::vector<double> result;
            result.reserve(call.input().size());
            for (const double x : call.input()) result.push_back(activate(call.layer, x));
            return result;
        },
};

}  // namespace hacscale
