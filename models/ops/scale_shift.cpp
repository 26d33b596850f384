// y = activation(scale[c] * x + shift[c]): a batch-norm that nothing can absorb (pre-activation).
#include "models/ops/layer_weights.hpp"
#include "models/ops/normalization.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

constinit const Operator scale_shift_operator{
    .kind = LayerKind::scale_shift,
    .name = "scale_shift",
    .onnx_names = {"BatchNormalization"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = false,

    .write_key = [](const LayerSpec& layer, KeyWriter& key) { key.activation(layer); },
    .read_key = [](KeyReader& key, LayerSpec& layer) { key.optional_activation(layer); },

    // A batch-norm's scale is a product too, but the definition of MACs leaves it out.
    .product_weights = one_a_channel,
    .offsets = one_a_channel,
    .weights = scale_and_shift,
    .random_weights = random_scale_and_shift,

    .reference =
        [](const ReferenceCall& call) {
            const MapShape in = input_map(call);
            std::vector<double> result(call.input().size());
            for (int n = 0; n < in.batch; ++n) {
                for (int c = 0; c < in.channels; ++c) {
                    for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                        const double scaled = call.input()[i] * static_cast<double>(call.weights.weights[c]);
                        result[i] = activate(call.layer, scaled + static_cast<double>(call.weights.bias[c]));
                    }
                }
            }
            return result;
        },
};

}  // namespace hacscale
