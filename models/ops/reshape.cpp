// The same numbers, in the order of channels, rows and columns, as a map of other sizes: C x H x W becomes out_channels x size.
// Attention splits channels into heads and pixels into tokens this way. No number is computed; where a backend has such maps
// in that order in memory, nothing moves.
#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

std::optional<std::string> reshape_fault(const LayerSpec& layer) {
    const MapSize in{layer.in_channels, layer.in_height, layer.in_width};
    const MapSize out{layer.out_channels, layer.size[0], layer.size[1]};
    for (const int size : layer.size) {
        if (size >= 1 && size <= max_layer_size) continue;
        return fmt::format("the output's size is {}x{}, expected 1 to {} each", out.height, out.width,
                           max_layer_size);
    }
    if (in == out) return "a reshape layer to the same sizes changes nothing";
    // In floating point, as sizes that nobody has validated may overflow.
    if (1.0 * in.channels * in.height * in.width == 1.0 * out.channels * out.height * out.width) {
        return std::nullopt;
    }
    return fmt::format("{}x{}x{} numbers cannot become {}x{}x{}", in.channels, in.height, in.width,
                       out.channels, out.height, out.width);
}

}  // namespace

constinit const Operator reshape_operator{
    .kind = LayerKind::reshape,
    .name = "reshape",
    .onnx_names = {"Reshape"},
    .output_size = [](const LayerSpec& layer) { return layer.size; },
    .own_output_channels = true,
    .overwrites_input = true,

    // The pixels of each channel may be in other rows.
    .channel_tie =
        [](const LayerSpec& layer) {
            return layer.in_channels == layer.out_channels ? ChannelTie::one_to_one : ChannelTie::fixed;
        },

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('o', layer.out_channels);
            key.pair('t', layer.size);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.out_channels = key.output_channels();
            layer.size = key.pair("t", "the output's size as t<n> or t<height>x<width>");
        },
    .validate = reshape_fault,

    .reference = [](const ReferenceCall& call) { return call.input(); },
};

}  // namespace hacscale
