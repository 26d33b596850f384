// Products of two tensors, as attention has them: each channel of an input is a matrix of height x width, and channel c of the
// output is the product of both inputs' channel c. Either input may have its matrices transposed (LayerSpec::mode).
#include "models/ops/matmul.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/ops/broadcast.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::array matmul_modes{Mode::plain, Mode::transpose_first, Mode::transpose_second,
                                  Mode::transpose_both};

MapSize matmul_input(const LayerSpec& layer, int index) {
    if (index == 0) return {layer.in_channels, layer.in_height, layer.in_width};
    const MatmulSizes sizes = matmul_sizes(layer);
    if (sizes.second_transposed) return {layer.in_channels, sizes.columns, sizes.inner};
    return {layer.in_channels, sizes.inner, sizes.columns};
}

std::optional<std::string> matmul_fault(const LayerSpec& layer) {
    if (std::ranges::find(matmul_modes, layer.mode) == matmul_modes.end()) {
        return fmt::format("a matmul layer has no mode {}", name_of(layer.mode));
    }
    const MatmulSizes sizes = matmul_sizes(layer);
    if (sizes.columns < 1 || sizes.columns > max_layer_size) {
        return fmt::format("a matmul layer has {} columns, expected 1 to {}", sizes.columns, max_layer_size);
    }
    if (layer.size[0] == sizes.rows) return std::nullopt;
    return fmt::format("a product of {} rows has a height of {}", sizes.rows, layer.size[0]);
}

double matmul_macs(const LayerSpec& layer) {
    const MatmulSizes sizes = matmul_sizes(layer);
    return 1.0 * layer.in_channels * sizes.rows * sizes.inner * sizes.columns;
}

double product_at(const ReferenceCall& call, std::size_t position) {
    const MatmulSizes sizes = matmul_sizes(call.layer);
    const std::size_t columns = sizes.columns;
    const std::size_t rows = sizes.rows;
    const std::size_t inner = sizes.inner;
    const std::size_t column = position % columns;
    const std::size_t row = position / columns % rows;
    const std::size_t matrix = position / columns / rows;  // of all images
    double sum = 0.0;
    for (std::size_t k = 0; k < inner; ++k) {
        const std::size_t a = sizes.first_transposed ? k * rows + row : row * inner + k;
        const std::size_t b = sizes.second_transposed ? column * inner + k : k * columns + column;
        sum += call.input()[matrix * rows * inner + a] * (*call.inputs[1])[matrix * inner * columns + b];
    }
    return sum;
}

}  // namespace

constinit const Operator matmul_operator{
    .kind = LayerKind::matmul,
    .name = "matmul",
    .onnx_names = {"MatMul"},
    .output_size = [](const LayerSpec& layer) { return layer.size; },
    .own_output_channels = false,
    .overwrites_input = false,

    .takes_inputs = reads_two,
    .input_shape = matmul_input,

    .channel_tie = fixed_channels,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            key.number('n', layer.size[1]);
            key.word_if(layer.mode != Mode::plain, name_of(layer.mode));
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            layer.inputs = 2;
            const int columns = key.number("n", "the columns of the product as n<n>");
            for (const Mode mode : matmul_modes) {
                if (mode != Mode::plain && layer.mode == Mode::plain && key.take_word(name_of(mode))) {
                    layer.mode = mode;
                }
            }
            layer.size = {matmul_sizes(layer).rows, columns};
        },
    .validate = matmul_fault,

    .macs = matmul_macs,

    .reference =
        [](const ReferenceCall& call) {
            std::vector<double> result(output_map(call).size());
            for (std::size_t i = 0; i < result.size(); ++i) result[i] = product_at(call, i);
            return result;
        },
    .reference_at = product_at,
};

}  // namespace hacscale
