// The numbers a layer holds, in plain f32 on the host, before a backend packs them for its device.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// Dense and row-major; which tensors a kind has, in which shapes, is Operator::weights. Others are empty.
struct LayerWeights {
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<float> weights2;
    std::vector<float> bias2;
};

// A stream of reproducible numbers.
class RandomValues {
public:
    explicit RandomValues(std::uint64_t seed) : generator_(seed) {}
    // Uniform in [-half_width, half_width).
    std::vector<float> uniform(std::int64_t count, double half_width);
    std::vector<float> of_variance(std::int64_t count, double variance);

private:
    std::mt19937_64 generator_;
};

// Reproducible random weights whose outputs neither die out nor blow up over a hundred layers, so that timings
// meet no denormal numbers.
LayerWeights random_weights(const LayerSpec& layer, std::uint64_t seed);

// `count` reproducible numbers, uniform in [-1, 1).
std::vector<float> random_values(std::size_t count, std::uint64_t seed);

}  // namespace hacscale
