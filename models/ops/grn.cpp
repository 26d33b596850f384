// Global response normalization (ConvNeXt V2, Woo et al. 2023, equation 1 to 3): with g the root of a channel's sum of squares
// and n = g / (mean of g over the channels + epsilon), y = scale x n + shift + x.
#include <cmath>

#include "models/ops/layer_weights.hpp"
#include "models/ops/normalization.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

namespace {

std::vector<double> grn_outputs(const ReferenceCall& call) {
    const MapShape in = input_map(call);
    std::vector<double> result(in.size());
    for (int n = 0; n < in.batch; ++n) {
        std::vector<double> norms;
        double sum = 0.0;
        for (int c = 0; c < in.channels; ++c) {
            double squares = 0.0;
            for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                squares += call.input()[i] * call.input()[i];
            }
            norms.push_back(std::sqrt(squares));
            sum += norms.back();
        }
        for (int c = 0; c < in.channels; ++c) {
            const double share = norms[c] / (sum / in.channels + call.layer.epsilon.value());
            for (std::size_t i = in.at(n, c, 0, 0); i < in.at(n, c + 1, 0, 0); ++i) {
                const double x = call.input()[i];
                result[i] = call.weights.weights[c] * x * share + call.weights.bias[c] + x;
            }
        }
    }
    return result;
}

}  // namespace

constinit const Operator grn_operator{
    .kind = LayerKind::grn,
    .name = "grn",
    .onnx_names = {},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    // All channels are in the mean of the norms, but none of them in another's place.
    .channel_tie = tied_one_to_one,

    .write_key = write_epsilon,
    .read_key = read_epsilon,
    .validate = epsilon_fault,

    // The scales are products, too, but the definition of MACs leaves them out.
    .macs = no_macs,
    .product_weights = one_a_channel,
    .offsets = one_a_channel,
    .weights = scale_and_shift,
    .random_weights = random_scale_and_shift,

    .reference = grn_outputs,
};

}  // namespace hacscale
