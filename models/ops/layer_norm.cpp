// Over the channels at each position: (x - mean) / sqrt(variance + epsilon), then a scale and a shift for each channel
// (Ba et al. 2016; over channels as in ConvNeXt, Liu et al. 2022). By Mode::root_mean_square x / sqrt(mean of x^2 + epsilon) instead
// (Zhang and Sennrich 2019), by Mode::keep_mean x / sqrt(variance + epsilon). Also what the norms of this folder share.
#include <fmt/format.h>

#include <cmath>

#include "models/ops/layer_weights.hpp"
#include "models/ops/normalization.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

std::vector<WeightPart> scale_and_shift(const LayerSpec& layer) {
    return {{"scale", {layer.in_channels}, &LayerWeights::weights},
            {"shift", {layer.in_channels}, &LayerWeights::bias}};
}

LayerWeights random_scale_and_shift(const LayerSpec& layer, RandomValues& random) {
    LayerWeights out;
    out.weights = random.uniform(layer.in_channels, 0.25);
    for (float& scale : out.weights) scale += 1.0F;
    out.bias = random.uniform(layer.in_channels, 0.1);
    return out;
}

void write_epsilon(const LayerSpec& layer, KeyWriter& key) {
    key.parameter('e', layer.epsilon);
}

void read_epsilon(KeyReader& key, LayerSpec& layer) {
    layer.epsilon = key.parameter("e", "epsilon as e<number>");
}

std::optional<std::string> epsilon_fault(const LayerSpec& layer) {
    if (layer.epsilon.value() > 0.0F && layer.epsilon.value() < 1.0F) return std::nullopt;
    return fmt::format("epsilon is {}, expected a number between 0 and 1", layer.epsilon.value());
}

void write_norm_mode(const LayerSpec& layer, KeyWriter& key) {
    key.word_if(layer.mode != Mode::plain, name_of(layer.mode));
}

void read_norm_mode(KeyReader& key, LayerSpec& layer) {
    for (const Mode mode : {Mode::root_mean_square, Mode::keep_mean}) {
        if (key.take_word(name_of(mode))) layer.mode = mode;
    }
}

std::optional<std::string> norm_fault(const LayerSpec& layer) {
    const bool known =
        layer.mode == Mode::plain || layer.mode == Mode::root_mean_square || layer.mode == Mode::keep_mean;
    if (known) return epsilon_fault(layer);
    return fmt::format("a {} layer has no mode {}", name_of(layer.kind), name_of(layer.mode));
}

Moments moments_of(const ReferenceCall& call, int image, int first_channel, int channels, int first_pixel,
                   int pixels) {
    const MapShape in = input_map(call);
    const auto mean_of = [&](const auto& value) {
        double sum = 0.0;
        for (int c = first_channel; c < first_channel + channels; ++c) {
            for (int p = first_pixel; p < first_pixel + pixels; ++p) {
                sum += value(call.input()[in.at(image, c, 0, 0) + static_cast<std::size_t>(p)]);
            }
        }
        return sum / channels / pixels;
    };
    const double mean = mean_of([](double x) { return x; });
    return {mean, mean_of([&](double x) { return (x - mean) * (x - mean); })};
}

namespace {

std::vector<double> layer_norm_outputs(const ReferenceCall& call) {
    const MapShape in = input_map(call);
    std::vector<double> result(in.size());
    for (int n = 0; n < in.batch; ++n) {
        for (int p = 0; p < in.height * in.width; ++p) {
            const auto [mean, variance] =
                normalized_by(call.layer.mode, moments_of(call, n, 0, in.channels, p, 1));
            const double divisor = std::sqrt(variance + call.layer.epsilon.value());
            for (int c = 0; c < in.channels; ++c) {
                const std::size_t i = in.at(n, c, 0, 0) + static_cast<std::size_t>(p);
                result[i] =
                    (call.input()[i] - mean) / divisor * call.weights.weights[c] + call.weights.bias[c];
            }
        }
    }
    return result;
}

}  // namespace

constinit const Operator layer_norm_operator{
    .kind = LayerKind::layer_norm,
    .name = "layer_norm",
    .onnx_names = {"LayerNormalization"},
    .output_size = size_of_input,
    .own_output_channels = false,
    .overwrites_input = true,

    .write_key =
        [](const LayerSpec& layer, KeyWriter& key) {
            write_epsilon(layer, key);
            write_norm_mode(layer, key);
        },
    .read_key =
        [](KeyReader& key, LayerSpec& layer) {
            read_epsilon(key, layer);
            read_norm_mode(key, layer);
        },
    .validate = norm_fault,

    .product_weights = one_a_channel,
    .offsets = one_a_channel,
    .weights = scale_and_shift,
    .random_weights = random_scale_and_shift,

    .reference = layer_norm_outputs,
};

}  // namespace hacscale
