// The product of two tensors of one shape, then an activation; or of a tensor with one number a channel, which is a gate
// made elsewhere (Mode::per_channel: the second input has a height and width of 1).
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator multiply_operator{
    .kind = LayerKind::multiply,
    .name = "multiply",
    .onnx_names = {"Mul"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .takes_inputs = [](int inputs) { return inputs == 2; },
    .input_shape = [](const LayerSpec& layer, int index) -> MapSize {
        if (index == 1 && layer.mode == Mode::per_channel) return {layer.in_channels, 1, 1};
        return {layer.in_channels, layer.in_height, layer.in_width};
    },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.word_if(layer.mode == Mode::per_channel, name_of(Mode::per_channel));
            key.activation(layer);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.inputs = 2;
            if (key.take_word(name_of(Mode::per_channel))) layer.mode = Mode::per_channel;
            key.optional_activation(layer);
        },
    // On a map of one pixel both forms are the same layer, which has one key.
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        const bool one_pixel = layer.in_height == 1 && layer.in_width == 1;
        if (layer.mode == Mode::plain || (layer.mode == Mode::per_channel && !one_pixel)) return std::nullopt;
        return "a multiply layer is per_channel only where its first input has more than one pixel";
    },

    .reference =
        [](const ReferenceCall& call) {
            const std::vector<double>& second = *call.inputs[1];
            const std::size_t share =
                call.input().size() / second.size();  // of the first, a number of the second
            std::vector<double> result;
            result.reserve(call.input().size());
            for (const double x : call.input()) {
                result.push_back(activate(call.layer, x * second[result.size() / share]));
            }
            return result;
        },
};

}  // namespace hacscale
