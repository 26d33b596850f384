#include "kernels/cuda/cudnn/conv_weights.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cstring>

#include "models/layer_cost.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::size_t alignment = 256;

std::size_t aligned(std::size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

class Writer {
public:
    Writer(std::span<std::byte> bytes, DataType type) : bytes_(bytes), type_(type) {}
    void put(std::size_t index, float value) {
        switch (type_) {
            case DataType::f16:
                store(index, __float2half_rn(value));
                return;
            case DataType::bf16:
                store(index, __float2bfloat16_rn(value));
                return;
            case DataType::f32:
            case DataType::tf32:
                store(index, value);
                return;
        }
    }

private:
    template <typename T>
    void store(std::size_t index, T value) {
        std::memcpy(bytes_.subspan(index * sizeof(T), sizeof(T)).data(), &value, sizeof(T));
    }
    std::span<std::byte> bytes_;
    DataType type_;
};

DataType stored_as(BiasType bias, DataType type) {
    return bias == BiasType::f32 ? DataType::f32 : type;
}

}  // namespace

ConvWeightLayout weight_layout(const LayerSpec& layer, DataType type, BiasType bias) {
    ConvWeightLayout layout;
    layout.bytes = static_cast<std::size_t>(product_weights(layer)) * size_of(type);
    if (bias == BiasType::none) return layout;
    layout.bias_offset = aligned(layout.bytes);
    layout.bytes =
        layout.bias_offset + static_cast<std::size_t>(layer.out_channels) * size_of(stored_as(bias, type));
    return layout;
}

void pack_conv_weights(const LayerSpec& layer, DataType type, BiasType bias, const LayerWeights& weights,
                       std::span<std::byte> packed) {
    const ConvWeightLayout layout = weight_layout(layer, type, bias);
    std::fill(packed.begin(), packed.end(), std::byte{0});
    const bool linear = layer.kind == LayerKind::linear;
    const auto outputs = static_cast<std::size_t>(layer.out_channels);
    const auto channels = static_cast<std::size_t>(layer.in_channels / (linear ? 1 : layer.groups));
    const auto window =
        linear ? static_cast<std::size_t>(layer.in_height) * static_cast<std::size_t>(layer.in_width)
               : static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel);
    Writer writer(packed, type);
    for (std::size_t out = 0; out < outputs; ++out) {
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t at = 0; at < window; ++at) {
                writer.put((out * window + at) * channels + c,
                           weights.weights[(out * channels + c) * window + at]);
            }
        }
    }
    if (bias == BiasType::none || weights.bias.empty()) return;
    Writer bias_writer(packed.subspan(layout.bias_offset), stored_as(bias, type));
    for (std::size_t out = 0; out < outputs; ++out) bias_writer.put(out, weights.bias[out]);
}

}  // namespace hacscale::cuda
