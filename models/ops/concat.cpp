// The channels of several tensors one after another. LayerSpec::in_channels is their total; alone, the inputs have equal
// shares of it, in a network any.
#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr int max_concat_inputs = 1024;

// The first ones have one more where the inputs do not divide the channels.
MapSize equal_share(const LayerSpec& layer, int index) {
    const int share = layer.in_channels / layer.inputs;
    return {share + (index < layer.in_channels % layer.inputs ? 1 : 0), layer.in_height, layer.in_width};
}

std::vector<double> concatenated(const ReferenceCall& call) {
    const auto batch = static_cast<std::size_t>(call.batch);
    std::vector<double> result;
    result.reserve(output_map(call).size());
    for (std::size_t n = 0; n < batch; ++n) {
        for (const std::vector<double>* const input : call.inputs) {
            const auto image = static_cast<std::ptrdiff_t>(input->size() / batch);
            const auto first = input->begin() + image * static_cast<std::ptrdiff_t>(n);
            result.insert(result.end(), first, first + image);
        }
    }
    return result;
}

}  // namespace

constinit const Operator concat_operator{
    .kind = LayerKind::concat,
    .name = "concat",
    .onnx_names = {"Concat"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = false,

    .takes_inputs = [](int inputs) { return inputs >= 2 && inputs <= max_concat_inputs; },
    .input_shape = equal_share,
    .shares_channels = true,

    .channel_tie = moved_channels,
    .source_channel = [](const LayerSpec&, int channel) { return channel; },

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.number('n', layer.inputs); },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            const int inputs = key.number("n", "the number of inputs as n<n>");
            layer.inputs = static_cast<std::uint16_t>(std::min(inputs, max_concat_inputs + 1));
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.inputs <= layer.in_channels) return std::nullopt;
        return fmt::format("{} channels are too few for {} inputs", layer.in_channels, layer.inputs);
    },

    .reference = concatenated,
};

}  // namespace hacscale
