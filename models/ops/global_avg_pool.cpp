// The mean over height and width.
#include <fmt/format.h>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator global_avg_pool_operator{
    .kind = LayerKind::global_avg_pool,
    .name = "global_avg_pool",
    .onnx_names = {"GlobalAveragePool"},
    .output_size = one_pixel,
    .own_output_channels = false,
    .overwrites_input = false,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.activation(layer); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { key.optional_activation(layer); },

    .reference = channel_means,
    .torch_expression =
        [](const LayerSpec&, std::string_view input) {
            return fmt::format("{}.mean((2, 3), keepdim=True)", input);
        },
};

}  // namespace hacscale
