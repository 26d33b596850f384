// The mean over a window. Padding does not count: at the rim of the map, the mean is over fewer elements (ONNX's
// count_include_pad = 0). With Mode::count_padding it counts as zeros, and the divisor is the window's size everywhere.
#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

void write_avg_pool(const LayerSpec& layer, KeyWriter& key) {
    key.window(layer.window);
    key.word_if(layer.mode == Mode::count_padding, name_of(Mode::count_padding));
}

void read_avg_pool(KeyReader& key, LayerSpec& layer) {
    layer.window = key.window();
    if (key.take_word(name_of(Mode::count_padding))) layer.mode = Mode::count_padding;
}

}  // namespace

constinit const Operator avg_pool_operator{
    .kind = LayerKind::avg_pool,
    .name = "avg_pool",
    .onnx_names = {"AveragePool"},
    .output_size = window_positions,
    .own_output_channels = false,
    .overwrites_input = false,

    .write_key = write_avg_pool,
    .read_key = read_avg_pool,
    // PyTorch has no dilated one, and no network is known that does.
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (layer.window.dilations != Window().dilations) return "an avg_pool's window has no dilation";
        if (layer.mode == Mode::plain) return std::nullopt;
        if (layer.mode == Mode::count_padding && layer.window.pads != Window().pads) return std::nullopt;
        return "an avg_pool without padding has no padding to count";
    },

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            return at_each_output(call, [&](int n, int c, int oh, int ow) {
                double sum = 0.0;
                std::int64_t count = 0;
                for_window(call.layer, oh, ow, [&](int, int, int ih, int iw) {
                    sum += call.input()[in.at(n, c, ih, iw)];
                    ++count;
                });
                const bool all = call.layer.mode == Mode::count_padding;
                return sum / static_cast<double>(all ? call.layer.window.taps() : count);
            });
        },
    .torch_expression =
        [](const LayerSpec& layer, std::string_view input) {
            const Window& window = layer.window;
            const bool count_padding = layer.mode == Mode::count_padding;
            const auto pool = [&](const TorchPadding& padding) {
                return fmt::format("F.avg_pool2d({}, {}, stride={}{})", padding.input,
                                   torch_pair(window.kernel), torch_pair(window.strides),
                                   padding.option.empty() || count_padding
                                       ? padding.option
                                       : padding.option + ", count_include_pad=False");
            };
            const TorchPadding padding = torch_pool_padding(input, window, "");
            if (padding.input == input || count_padding) return pool(padding);
            // Zeros around the map count there, as often in the mean of ones.
            const TorchPadding ones =
                torch_pool_padding(fmt::format("torch.ones_like({})", input), window, "");
            return fmt::format("({} / {})", pool(padding), pool(ones));
        },
};

}  // namespace hacscale
