// A conv's or linear layer's numbers as cuDNN's plans read them: weights [out][height][width][in] in the data
// type, then, at the next multiple of 256 bytes, the bias.
#pragma once

#include <cstddef>
#include <span>

#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::cuda {

enum class BiasType { none, as_data, f32 };

struct ConvWeightLayout {
    std::size_t bias_offset = 0;
    std::size_t bytes = 0;
};

ConvWeightLayout weight_layout(const LayerSpec& layer, DataType type, BiasType bias);

// Every byte of `packed` is written; a layer without a bias has one of zeros.
void pack_conv_weights(const LayerSpec& layer, DataType type, BiasType bias, const LayerWeights& weights,
                       std::span<std::byte> packed);

}  // namespace hacscale::cuda
