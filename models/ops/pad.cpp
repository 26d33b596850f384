// Zeros around the map: as many rows and columns as LayerSpec::window has pads.
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator pad_operator{
    .kind = LayerKind::pad,
    .name = "pad",
    .onnx_names = {"Pad"},
    .output_size = [](const LayerSpec& layer) -> std::array<int, 2> {
        const auto& [top, left, bottom, right] = layer.window.pads;
        return {layer.in_height + top + bottom, layer.in_width + left + right};
    },
    .own_output_channels = false,
    .overwrites_input = false,
    .any_pads = true,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.pads(layer.window.pads); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { layer.window.pads = key.pads(); },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.window.pads != Window().pads) return std::nullopt;
        return "a pad layer of no rows and columns computes nothing";
    },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            const auto& pads = call.layer.window.pads;
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                const int ih = oh - pads[0];
                const int iw = ow - pads[1];
                const bool inside = ih >= 0 && ih < in.height && iw >= 0 && iw < in.width;
                return inside ? call.input()[in.at(n, c, ih, iw)] : 0.0;
            });
        },
};

}  // namespace hacscale
