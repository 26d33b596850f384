// The map at another height and width: the nearest element or between the two nearest of each axis, by LayerSpec::mode.
#include "models/ops/resize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::array resize_modes{Mode::nearest, Mode::nearest_half_pixel, Mode::nearest_half_pixel_up,
                                  Mode::bilinear, Mode::bilinear_align_corners};

}  // namespace

ResizeTaps resize_taps(Mode mode, int out, int in_size, int out_size) {
    const std::int64_t in = in_size;
    const auto only = [&](std::int64_t element) {
        const int nearest = static_cast<int>(std::clamp<std::int64_t>(element, 0, in - 1));
        return ResizeTaps{nearest, nearest, 0.0};
    };
    double place = 0.0;
    switch (mode) {
        case Mode::nearest:
            return only(out * in / out_size);
        // The middle of the output's element is at (2 out + 1) in / (2 out_size) elements of the input.
        case Mode::nearest_half_pixel:
            return only(((2 * std::int64_t{out} + 1) * in + 2 * std::int64_t{out_size} - 1) /
                            (2 * std::int64_t{out_size}) -
                        1);
        case Mode::nearest_half_pixel_up:
            return only((2 * std::int64_t{out} + 1) * in / (2 * std::int64_t{out_size}));
        case Mode::bilinear_align_corners:
            if (out_size > 1) place = static_cast<double>(out) * (in_size - 1) / (out_size - 1);
            break;
        default:
            place = (out + 0.5) * in_size / out_size - 0.5;
            break;
    }
    place = std::clamp(place, 0.0, in_size - 1.0);
    const int low = static_cast<int>(place);
    return {low, std::min(low + 1, in_size - 1), place - low};
}

constinit const Operator resize_operator{
    .kind = LayerKind::resize,
    .name = "resize",
    .onnx_names = {"Resize", "Upsample"},
    .output_size = [](const LayerSpec& layer) { return layer.size; },
    .own_output_channels = false,
    .overwrites_input = false,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.pair('t', layer.size);
            key.word(name_of(layer.mode));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.size = key.pair("t", "the output's size as t<n> or t<height>x<width>");
            layer.mode = key.mode(resize_modes);
        },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        for (const int size : layer.size) {
            if (size < 1 || size > max_layer_size) {
                return fmt::format("the output's size is {}x{}, expected 1 to {} each", layer.size[0],
                                   layer.size[1], max_layer_size);
            }
        }
        const bool known = std::ranges::find(resize_modes, layer.mode) != resize_modes.end();
        if (known) return std::nullopt;
        return fmt::format("a resize layer has no mode {}", name_of(layer.mode));
    },

    .reference =
        [](const ReferenceCall& call) {
            const LayerSpec& layer = call.layer;
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                const ResizeTaps y = resize_taps(layer.mode, oh, in.height, layer.size[0]);
                const ResizeTaps x = resize_taps(layer.mode, ow, in.width, layer.size[1]);
                const auto along_row = [&](int row) {
                    return std::lerp(call.input()[in.at(n, c, row, x.low)],
                                     call.input()[in.at(n, c, row, x.high)], x.share);
                };
                return std::lerp(along_row(y.low), along_row(y.high), y.share);
            });
        },
};

}  // namespace hacscale
