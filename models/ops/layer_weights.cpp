#include "models/ops/layer_weights.hpp"

#include <cmath>

#include "models/ops/operator.hpp"

namespace hacscale {

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
