// Tensors on their way between the host (dense NCHW, f32) and a device (dense NHWC, in the network's type).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

struct TensorShape {
    int batch = 1;
    int channels = 0;
    int height = 1;
    int width = 1;

    std::size_t elements() const { return static_cast<std::size_t>(batch) * channels * height * width; }
    std::size_t bytes(DataType type) const { return elements() * size_of(type); }
};

TensorShape input_shape(const LayerSpec& layer, int batch);
TensorShape output_shape(const LayerSpec& layer, int batch);

// Both need spans of exactly the shape's size. Conversion rounds to nearest, ties to even; values too large
// for f16 become infinite.
void to_nhwc(std::span<const float> nchw, const TensorShape& shape, DataType type, std::span<std::byte> nhwc);
std::vector<float> to_nchw(std::span<const std::byte> nhwc, const TensorShape& shape, DataType type);

}  // namespace hacscale::cuda
