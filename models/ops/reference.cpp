#include "models/ops/reference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

double softplus(double x) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

}  // namespace

const ForEach in_turn = [](std::size_t count, const std::function<void(std::size_t)>& work) {
    for (std::size_t i = 0; i < count; ++i) work(i);
};

double activate(Activation activation, double alpha, double x) {
    const auto clip6 = [](double v) { return std::clamp(v, 0.0, 6.0); };
    switch (activation) {
        case Activation::none:
            return x;
        case Activation::relu:
            return std::max(x, 0.0);
        case Activation::relu6:
            return clip6(x);
        case Activation::silu:
            return x / (1.0 + std::exp(-x));
        case Activation::hard_swish:
            return x * clip6(x + 3.0) / 6.0;
        case Activation::sigmoid:
            return 1.0 / (1.0 + std::exp(-x));
        case Activation::hard_sigmoid:
            return clip6(x + 3.0) / 6.0;
        case Activation::gelu:
            return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
        case Activation::gelu_tanh: {
            const double inner = std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x);
            return 0.5 * x * (1.0 + std::tanh(inner));
        }
        case Activation::leaky_relu:
            return x < 0.0 ? alpha * x : x;
        case Activation::mish:
            return x * std::tanh(softplus(x));
        case Activation::softplus:
            return softplus(x);
        case Activation::elu:
            return x < 0.0 ? alpha * std::expm1(x) : x;
        case Activation::tanh:
            return std::tanh(x);
    }
    return x;
}

std::vector<double> channel_means(const ReferenceCall& call) {
    const MapShape in = input_map(call);
    std::vector<double> means(static_cast<std::size_t>(in.batch) * in.channels);
    const std::size_t area = static_cast<std::size_t>(in.height) * in.width;
    for (std::size_t plane = 0; plane < means.size(); ++plane) {
        double sum = 0.0;
        for (std::size_t i = 0; i < area; ++i) sum += call.input()[plane * area + i];
        means[plane] = sum / static_cast<double>(area);
    }
    return means;
}

std::vector<double> dense(const double* x, std::size_t in, std::size_t out, const std::vector<float>& weights,
                          const std::vector<float>& bias) {
    std::vector<double> y(out);
    for (std::size_t o = 0; o < out; ++o) {
        double sum = bias.empty() ? 0.0 : static_cast<double>(bias[o]);
        for (std::size_t i = 0; i < in; ++i) sum += x[i] * static_cast<double>(weights[o * in + i]);
        y[o] = sum;
    }
    return y;
}

double relative_error(const std::vector<float>& actual, const std::vector<double>& expected) {
    if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double difference = 0.0;
    double norm = 0.0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double d = static_cast<double>(actual[i]) - expected[i];
        difference += d * d;
        norm += expected[i] * expected[i];
    }
    const double error = norm > 0.0 ? std::sqrt(difference / norm) : std::sqrt(difference);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

std::vector<float> RandomValues::uniform(std::int64_t count, double half_width) {
    // Bits are taken by hand: the standard's distributions differ between libraries.
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) {
        const double unit = static_cast<double>(generator_() >> 11) * 0x1.0p-53;
        value = static_cast<float>((2.0 * unit - 1.0) * half_width);
    }
    return values;
}

// A uniform distribution of half-width h has variance h^2 / 3.
std::vector<float> RandomValues::of_variance(std::int64_t count, double variance) {
    return uniform(count, std::sqrt(3.0 * variance));
}

LayerWeights no_random_weights(const LayerSpec&, RandomValues&) {
    return {};
}

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    return RandomValues(seed).uniform(static_cast<std::int64_t>(count), 1.0);
}

}  // namespace hacscale
