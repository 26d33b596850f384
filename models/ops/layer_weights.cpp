#include "models/ops/layer_weights.hpp"

#include <cmath>
#include <random>

namespace hacscale {
namespace {

std::vector<float> uniform(std::size_t count, double half_width, std::mt19937_64& generator) {
    // Bits are taken by hand: the standard's distributions differ between libraries.
    std::vector<float> values(count);
    for (float& value : values) {
        const double unit = static_cast<double>(generator() >> 11) * 0x1.0p-53;
        value = static_cast<float>((2.0 * unit - 1.0) * half_width);
    }
    return values;
}

// A uniform distribution of half-width h has variance h^2 / 3.
double half_width_for(double variance) {
    return std::sqrt(3.0 * variance);
}

}  // namespace

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    return uniform(count, 1.0, generator);
}

LayerWeights random_weights(const LayerSpec& layer, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    LayerWeights out;
    const auto size = [](auto... factors) { return (static_cast<std::size_t>(factors) * ...); };
    switch (layer.kind) {
        case LayerKind::conv: {
            const int fan_in = static_cast<int>(layer.in_channels / layer.groups * layer.window.taps());
            const double variance = (layer.residual ? 0.5 : 2.0) / fan_in;
            out.weights = uniform(size(layer.out_channels, fan_in), half_width_for(variance), generator);
            if (layer.bias) out.bias = uniform(size(layer.out_channels), 0.1, generator);
            break;
        }
        case LayerKind::linear: {
            const std::size_t fan_in = size(layer.in_channels, layer.in_height, layer.in_width);
            out.weights = uniform(size(layer.out_channels) * fan_in,
                                  half_width_for(2.0 / static_cast<double>(fan_in)), generator);
            if (layer.bias) out.bias = uniform(size(layer.out_channels), 0.1, generator);
            break;
        }
        case LayerKind::squeeze_excite: {
            const std::size_t count = size(layer.in_channels, layer.squeeze_channels);
            out.weights = uniform(count, half_width_for(2.0 / layer.in_channels), generator);
            out.bias = uniform(size(layer.squeeze_channels), 0.1, generator);
            out.weights2 = uniform(count, half_width_for(2.0 / layer.squeeze_channels), generator);
            out.bias2 = uniform(size(layer.in_channels), 0.5, generator);
            break;
        }
        case LayerKind::scale_shift: {
            out.weights = uniform(size(layer.in_channels), 0.25, generator);
            for (float& scale : out.weights) scale += 1.0F;
            out.bias = uniform(size(layer.in_channels), 0.1, generator);
            break;
        }
        case LayerKind::max_pool:
        case LayerKind::global_avg_pool:
            break;
    }
    return out;
}

}  // namespace hacscale
