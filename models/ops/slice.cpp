// Some neighbouring channels of a tensor: out_channels of them from first_channel on. A split is several slices.
#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator slice_operator{
    .kind = LayerKind::slice,
    .name = "slice",
    .onnx_names = {"Slice", "Split"},
    .output_size = size_of_input,
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = moved_channels,
    .source_channel = [](const LayerSpec& layer, int channel) { return layer.first_channel + channel; },
    .second_axis = [](const LayerSpec&) { return &LayerSpec::out_channels; },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('o', layer.out_channels);
            key.number('f', layer.first_channel);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.out_channels = key.output_channels();
            layer.first_channel = key.number("f", "the first channel as f<n>");
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        const int last = layer.in_channels - layer.out_channels;
        if (layer.first_channel >= 0 && layer.first_channel <= last) return std::nullopt;
        return fmt::format("a slice of {} of {} channels begins at channel {}, expected 0 to {}",
                           layer.out_channels, layer.in_channels, layer.first_channel, last);
    },

    // Of the other channels nothing is read.
    .elements_read =
        [](const LayerSpec& layer) {
            return MapSize{layer.out_channels, layer.in_height, layer.in_width}.elements();
        },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                return call.input()[in.at(n, call.layer.first_channel + c, oh, ow)];
            });
        },
};

}  // namespace hacscale
