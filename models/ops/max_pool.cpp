// The maximum over a window. Padding never wins.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator max_pool_operator{
    .kind = LayerKind::max_pool,
    .name = "max_pool",
    .onnx_names = {"MaxPool"},
    .output_size = window_positions,
    .own_output_channels = false,
    .overwrites_input = false,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.window(layer.window);
            key.activation(layer);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.window = key.window();
            key.optional_activation(layer);
        },
    // Taps further apart than the map is large could all be padding, which has no maximum.
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        const auto& [height, width] = layer.window.dilations;
        if (height <= layer.in_height && width <= layer.in_width) return std::nullopt;
        return fmt::format("a dilation of {}x{} is larger than the {}x{} input", height, width,
                           layer.in_height, layer.in_width);
    },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                double best = -std::numeric_limits<double>::infinity();
                for_window(call.layer, oh, ow, [&](int, int, int ih, int iw) {
                    best = std::max(best, call.input()[in.at(n, c, ih, iw)]);
                });
                return best;
            });
        },
    .torch_expression =
        [](const LayerSpec& layer, std::string_view input) {
            const Window& window = layer.window;
            const TorchPadding padding = torch_pool_padding(input, window, "-torch.inf");
            return fmt::format("F.max_pool2d({}, {}, stride={}{}{})", padding.input,
                               torch_pair(window.kernel), torch_pair(window.strides), padding.option,
                               torch_option("dilation", window.dilations, 1));
        },
};

}  // namespace hacscale
