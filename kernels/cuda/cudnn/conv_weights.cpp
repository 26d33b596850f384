#include "kernels/cuda/cudnn/conv_weights.hpp"

#include <algorithm>

#include "kernels/cuda/host_tensor.hpp"
#include "models/ops/layer_cost.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::size_t alignment = 256;

std::size_t aligned_part(std::size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

DataType stored_as(BiasType bias, DataType type) {
    return bias == BiasType::f32 ? DataType::f32 : type;
}

}  // namespace

ConvWeightLayout weight_layout(const LayerSpec& layer, DataType type, BiasType bias) {
    ConvWeightLayout layout;
    layout.bytes = static_cast<std::size_t>(product_weights(layer)) * size_of(type);
    if (bias == BiasType::none) return layout;
    layout.bias_offset = aligned_part(layout.bytes);
    layout.bytes =
        layout.bias_offset + static_cast<std::size_t>(layer.out_channels) * size_of(stored_as(bias, type));
    return layout;
}

void pack_conv_weights(const LayerSpec& layer, DataType type, BiasType bias, const LayerWeights& weights,
                       std::span<std::byte> packed) {
    const ConvWeightLayout layout = weight_layout(layer, type, bias);
    std::fill(packed.begin(), packed.end(), std::byte{0});
    const bool linear = layer.kind == LayerKind::linear;
    // Outputs take the place of images: what is NHWC for them is KRSC for the weights.
    const TensorShape shape{layer.out_channels, layer.in_channels / (linear ? 1 : layer.groups),
                            linear ? layer.in_height : layer.window.kernel[0],
                            linear ? layer.in_width : layer.window.kernel[1]};
    to_nhwc(weights.weights, shape, type, packed.first(shape.bytes(type)));
    if (bias == BiasType::none || weights.bias.empty()) return;
    const TensorShape vector{1, layer.out_channels, 1, 1};
    const DataType stored = stored_as(bias, type);
    to_nhwc(weights.bias, vector, stored, packed.subspan(layout.bias_offset, vector.bytes(stored)));
}

}  // namespace hacscale::cuda
