// The channels of LayerSpec::groups groups in turn: the first of each group, then the second of each (ShuffleNet, Zhang et al.
// 2018).
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

int source_channel(const LayerSpec& layer, int channel) {
    return channel % layer.groups * (layer.in_channels / layer.groups) + channel / layer.groups;
}

}  // namespace

constinit const Operator channel_shuffle_operator{
    .kind = LayerKind::channel_shuffle,
    .name = "channel_shuffle",
    .onnx_names = {},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = false,

    .channel_tie = moved_channels,
    .source_channel = source_channel,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.number('g', layer.groups); },
    .read_key = [](KeyReader& key,
                   LayerSpec& layer) { layer.groups = key.number("g", "the groups as g<n>"); },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.groups > 1) return std::nullopt;
        return "a channel_shuffle layer of one group computes nothing";
    },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                return call.input()[in.at(n, source_channel(call.layer, c), oh, ow)];
            });
        },
};

}  // namespace hacscale
