// The sum of two tensors, then an activation: a residual add that no conv can take over. The second tensor may have one number
// a channel or one a pixel.
#include <array>

#include "models/ops/broadcast.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::array add_modes{Mode::plain, Mode::per_channel, Mode::per_pixel};

}  // namespace

constinit const Operator add_operator{
    .kind = LayerKind::add,
    .name = "add",
    .onnx_names = {"Add", "Sum"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .takes_inputs = reads_two,
    .input_shape = input_of_pair,

    .channel_tie = tie_of_pair,

    .write_key = write_pair,
    .read_key = [](KeyReader& key, LayerSpec& layer) { read_pair(key, layer, add_modes); },
    .validate = [](const LayerSpec& layer) { return fault_of_pair(layer, add_modes); },

    .reference =
        [](const ReferenceCall& call) {
            return outputs_of_pair(call, [](double x, double y) { return x + y; });
        },
};

}  // namespace hacscale
