// The axes of a map in another order (LayerSpec::mode): rows of tokens from channels of pixels, and back. The channels of each of
// LayerSpec::groups are permuted by themselves, so that an axis of heads or windows stays where it is.
#include "models/ops/permute.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

std::array<int, 2> permuted_size(const LayerSpec& layer) {
    const std::array<int, 3> sizes = axis_sizes(layer);
    const std::array<int, 3> axes = axes_of(layer.mode);
    return {sizes[static_cast<std::size_t>(axes[1])], sizes[static_cast<std::size_t>(axes[2])]};
}

std::vector<double> permuted(const ReferenceCall& call) {
    const LayerSpec& layer = call.layer;
    const std::array<int, 3> axes = axes_of(layer.mode);
    const MapShape in = input_map(call);
    const int share = in.channels / layer.groups;
    const int out_share = layer.out_channels / layer.groups;
    return at_each_output(call, [&](int n, int c, int oh, int ow) {
        std::array<int, 3> from{};
        const std::array<int, 3> to{c % out_share, oh, ow};
        for (std::size_t axis = 0; axis < to.size(); ++axis) {
            from[static_cast<std::size_t>(axes[axis])] = to[axis];
        }
        return call.input()[in.at(n, c / out_share * share + from[0], from[1], from[2])];
    });
}

}  // namespace

constinit const Operator permute_operator{
    .kind = LayerKind::permute,
    .name = "permute",
    .onnx_names = {"Transpose"},
    .output_size = permuted_size,
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = fixed_channels,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('g', layer.groups);
            key.word(name_of(layer.mode));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.groups = key.number("g", "the groups as g<n>");
            layer.mode = key.mode(permute_orders);
            if (layer.groups > 0) layer.out_channels = std::max(1, permuted_channels(layer));
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (std::ranges::find(permute_orders, layer.mode) == permute_orders.end()) {
            return fmt::format("a permute layer has no mode {}", name_of(layer.mode));
        }
        if (layer.out_channels == permuted_channels(layer)) return std::nullopt;
        return fmt::format("a permute layer of {} groups has {} output channels, not {}", layer.groups,
                           permuted_channels(layer), layer.out_channels);
    },

    .reference = permuted,
};

}  // namespace hacscale
