// e^x over the sum of e^x, of the elements of each row or of each column of each channel (LayerSpec::mode): the shares that
// attention gives to its tokens.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::array softmax_modes{Mode::over_height, Mode::over_width};

// Of `count` elements, `stride` apart.
void softmax_of(const double* in, double* out, std::size_t count, std::size_t stride) {
    double largest = in[0];
    for (std::size_t i = 1; i < count; ++i) largest = std::max(largest, in[i * stride]);
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i) sum += std::exp(in[i * stride] - largest);
    for (std::size_t i = 0; i < count; ++i) out[i * stride] = std::exp(in[i * stride] - largest) / sum;
}

std::vector<double> softmax_outputs(const ReferenceCall& call) {
    const std::size_t height = call.layer.in_height;
    const std::size_t width = call.layer.in_width;
    const std::vector<double>& in = call.input();
    std::vector<double> result(in.size());
    for (std::size_t plane = 0; plane < in.size(); plane += height * width) {
        if (call.layer.mode == Mode::over_width) {
            for (std::size_t row = 0; row < height; ++row) {
                softmax_of(&in[plane + row * width], &result[plane + row * width], width, 1);
            }
        } else {
            for (std::size_t column = 0; column < width; ++column) {
                softmax_of(&in[plane + column], &result[plane + column], height, width);
            }
        }
    }
    return result;
}

}  // namespace

constinit const Operator softmax_operator{
    .kind = LayerKind::softmax,
    .name = "softmax",
    .onnx_names = {"Softmax"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.word(name_of(layer.mode)); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { layer.mode = key.mode(softmax_modes); },
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (std::ranges::find(softmax_modes, layer.mode) == softmax_modes.end()) {
            return fmt::format("a softmax layer has no mode {}", name_of(layer.mode));
        }
        const int elements = layer.mode == Mode::over_width ? layer.in_width : layer.in_height;
        if (elements > 1) return std::nullopt;
        return "a softmax over one element is 1";
    },

    .reference = softmax_outputs,
};

}  // namespace hacscale
