// Tensors and the weights of convs on their way between the host (dense NCHW, f32) and a device (dense NHWC, in the
// network's type).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::cuda {

struct TensorShape {
    int batch = 1;
    int channels = 0;
    int height = 1;
    int width = 1;

    std::size_t elements() const { return static_cast<std::size_t>(batch) * channels * height * width; }
    std::size_t bytes(DataType type) const { return elements() * size_of(type); }
};

// Of a data input of a layer by itself.
TensorShape input_shape(const LayerSpec& layer, int batch, int index = 0);
TensorShape output_shape(const LayerSpec& layer, int batch);

// Both need spans of exactly the shape's size. Conversion rounds to nearest, ties to even; values too large
// for f16 become infinite.
void to_nhwc(std::span<const float> nchw, const TensorShape& shape, DataType type, std::span<std::byte> nhwc);
std::vector<float> to_nchw(std::span<const std::byte> nhwc, const TensorShape& shape, DataType type);

// Of the weights of a conv, transposed conv or linear layer, outputs in the place of images. Those of a transposed conv are
// those of the conv that it is the transpose of: its inputs are that one's outputs.
TensorShape weight_shape(const LayerSpec& layer);

// A conv's or linear layer's numbers as cuDNN's plans and the own matrix products read them: weights
// [out][height][width][in] in the data type, then, at the next multiple of 256 bytes, the bias.
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
