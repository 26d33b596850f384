// More rows and columns around the map, or fewer: as many as LayerSpec::window has pads, negative ones being cut off. New ones
// are zeros, ones, or made of the map (LayerSpec::mode).
#include "models/ops/pad.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::array made_of_map{Mode::reflect, Mode::edge};
constexpr std::array pad_modes{Mode::plain, Mode::reflect, Mode::edge, Mode::ones};

std::optional<std::string> pad_fault(const LayerSpec& layer) {
    const auto& pads = layer.window.pads;
    if (pads == Window().pads) return "a pad layer of no rows and columns computes nothing";
    if (std::ranges::find(pad_modes, layer.mode) == pad_modes.end()) {
        return fmt::format("a pad layer has no mode {}", name_of(layer.mode));
    }
    const std::array sizes{layer.in_height, layer.in_width};
    for (std::size_t side = 0; side < pads.size(); ++side) {
        const int size = sizes[side % 2];
        if (pads[side] + std::min(0, pads[(side + 2) % 4]) <= -size) {
            return fmt::format("pads of {} and {} leave nothing of {} elements", pads[side % 2],
                               pads[side % 2 + 2], size);
        }
        const bool of_map = std::ranges::find(made_of_map, layer.mode) != made_of_map.end();
        if (of_map && pads[side] < 0) {
            return fmt::format("a pad layer of mode {} cuts nothing off", name_of(layer.mode));
        }
        if (layer.mode == Mode::reflect && pads[side] >= size) {
            return fmt::format("{} elements mirror at most {} more, not {}", size, size - 1, pads[side]);
        }
    }
    const bool adds = std::ranges::any_of(pads, [](int pad) { return pad > 0; });
    if (adds || layer.mode == Mode::plain) return std::nullopt;
    return fmt::format("a pad layer of mode {} adds no row or column", name_of(layer.mode));
}

}  // namespace

constinit const Operator pad_operator{
    .kind = LayerKind::pad,
    .name = "pad",
    .onnx_names = {"Pad", "Slice"},
    .output_size = [](const LayerSpec& layer) -> std::array<int, 2> {
        const auto& [top, left, bottom, right] = layer.window.pads;
        return {layer.in_height + top + bottom, layer.in_width + left + right};
    },
    .own_output_channels = false,
    .overwrites_input = false,
    .any_pads = true,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.pads(layer.window.pads);
            key.word_if(layer.mode != Mode::plain, name_of(layer.mode));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.window.pads = key.pads(/*negative=*/true);
            for (const Mode mode : pad_modes) {
                if (mode != Mode::plain && key.take_word(name_of(mode))) layer.mode = mode;
            }
        },
    .validate = pad_fault,

    // Of what is cut off nothing is read.
    .elements_read =
        [](const LayerSpec& layer) {
            const auto& [top, left, bottom, right] = layer.window.pads;
            return MapSize{layer.in_channels, layer.in_height + std::min(0, top) + std::min(0, bottom),
                           layer.in_width + std::min(0, left) + std::min(0, right)}
                .elements();
        },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            const Mode mode = call.layer.mode;
            const std::array<int, 4>& pads = call.layer.window.pads;
            const double fill = mode == Mode::ones ? 1.0 : 0.0;
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                const int ih = padded_element(mode, oh, pads[0], in.height);
                const int iw = padded_element(mode, ow, pads[1], in.width);
                return ih == no_element || iw == no_element ? fill : call.input()[in.at(n, c, ih, iw)];
            });
        },
};

}  // namespace hacscale
