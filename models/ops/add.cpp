// The sum of two tensors of one shape, then an activation: a residual add that no conv can take over.
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator add_operator{
    .kind = LayerKind::add,
    .name = "add",
    .onnx_names = {"Add", "Sum"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .takes_inputs = [](int inputs) { return inputs == 2; },

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.activation(layer); },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.inputs = 2;
            key.optional_activation(layer);
        },

    .reference =
        [](const ReferenceCall& call) {
            const std::vector<double>& second = *call.inputs[1];
            std::vector<double> result;
            result.reserve(second.size());
            for (const double x : call.input()) {
                result.push_back(activate(call.layer, x + second[result.size()]));
            }
            return result;
        },
};

}  // namespace hacscale
