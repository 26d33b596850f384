// The numbers a layer holds, in plain f32 on the host, before a backend packs them for its device.
#pragma once

#include <cstdint>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// Layouts, all dense and row-major:
//   conv            weights [out][in/groups][kernel height][kernel width], bias [out]
//   linear          weights [out][in_channels * in_height * in_width] (input flattened as CHW), bias [out]
//   squeeze_excite  weights [squeeze][channels], bias [squeeze]; weights2 [channels][squeeze], bias2 [channels]
//   scale_shift     weights = scale [channels], bias = shift [channels]
// Parts that a layer does not have are empty.
struct LayerWeights {
    std::vector<float> weights;
    std::vector<float> bias;
    std::vector<float> weights2;
    std::vector<float> bias2;
};

// Reproducible random weights whose outputs neither die out nor blow up over a hundred layers (variance 2 /
// fan-in; half of that where a residual is added), so that timings meet no denormal numbers.
LayerWeights random_weights(const LayerSpec& layer, std::uint64_t seed);

// `count` reproducible numbers, uniform in [-1, 1).
std::vector<float> random_values(std::size_t count, std::uint64_t seed);

}  // namespace hacscale
