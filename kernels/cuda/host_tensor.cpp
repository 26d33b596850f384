#include "kernels/cuda/host_tensor.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <stdexcept>

#include "models/ops/layer_spec.hpp"
#include "models/ops/operator.hpp"

namespace hacscale::cuda {
namespace {

void convert(float from, float& to) {
    to = from;
}
void convert(float from, __half& to) {
    to = __float2half_rn(from);
}
void convert(float from, __nv_bfloat16& to) {
    to = __float2bfloat16_rn(from);
}
void convert(__half from, float& to) {
    to = __half2float(from);
}
void convert(__nv_bfloat16 from, float& to) {
    to = __bfloat162float(from);
}

// Calls `body` with the position in NCHW order and that in NHWC order of each element.
template <typename Body>
void for_each_element(const TensorShape& shape, const Body& body) {
    const auto channels = static_cast<std::size_t>(shape.channels);
    const auto positions = static_cast<std::size_t>(shape.height) * shape.width;
    for (std::size_t n = 0; n < static_cast<std::size_t>(shape.batch); ++n) {
        for (std::size_t p = 0; p < positions; ++p) {
            for (std::size_t c = 0; c < channels; ++c) {
                body((n * channels + c) * positions + p, (n * positions + p) * channels + c);
            }
        }
    }
}

template <typename T>
void write(std::span<const float> nchw, const TensorShape& shape, std::span<std::byte> nhwc) {
    T* const to = reinterpret_cast<T*>(nhwc.data());
    for_each_element(shape, [&](std::size_t from, std::size_t at) { convert(nchw[from], to[at]); });
}

template <typename T>
void read(std::span<const std::byte> nhwc, const TensorShape& shape, std::vector<float>& nchw) {
    const T* const from = reinterpret_cast<const T*>(nhwc.data());
    for_each_element(shape, [&](std::size_t to, std::size_t at) { convert(from[at], nchw[to]); });
}

void require(bool holds) {
    if (!holds) throw std::logic_error("a tensor and its shape differ in size");
}

constexpr std::size_t alignment = 256;

std::size_t aligned_part(std::size_t bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

DataType stored_as(BiasType bias, DataType type) {
    return bias == BiasType::f32 ? DataType::f32 : type;
}

}  // namespace

TensorShape input_shape(const LayerSpec& layer, int batch, int index) {
    const MapSize shape = operator_of(layer.kind).input_shape(layer, index);
    return {batch, shape.channels, shape.height, shape.width};
}

TensorShape output_shape(const LayerSpec& layer, int batch) {
    return {batch, layer.out_channels, layer.out_height(), layer.out_width()};
}

void to_nhwc(std::span<const float> nchw, const TensorShape& shape, DataType type,
             std::span<std::byte> nhwc) {
    require(nchw.size() == shape.elements() && nhwc.size() == shape.bytes(type));
    switch (type) {
        case DataType::f32:
        case DataType::tf32:
            return write<float>(nchw, shape, nhwc);
        case DataType::f16:
            return write<__half>(nchw, shape, nhwc);
        case DataType::bf16:
            return write<__nv_bfloat16>(nchw, shape, nhwc);
        case DataType::i8:
            break;  // no tensor here has it
    }
}

std::vector<float> to_nchw(std::span<const std::byte> nhwc, const TensorShape& shape, DataType type) {
    require(nhwc.size() == shape.bytes(type));
    std::vector<float> nchw(shape.elements());
    switch (type) {
        case DataType::f32:
        case DataType::tf32:
            read<float>(nhwc, shape, nchw);
            break;
        case DataType::f16:
            read<__half>(nhwc, shape, nchw);
            break;
        case DataType::bf16:
            read<__nv_bfloat16>(nhwc, shape, nchw);
            break;
        case DataType::i8:
            break;
    }
    return nchw;
}

TensorShape weight_shape(const LayerSpec& layer) {
    const auto& [height, width] = layer.window.kernel;
    switch (layer.kind) {
        case LayerKind::linear:
            return {layer.out_channels, layer.in_channels, layer.in_height, layer.in_width};
        case LayerKind::transposed_conv:
            return {layer.in_channels, layer.out_channels / layer.groups, height, width};
        default:
            return {layer.out_channels, layer.in_channels / layer.groups, height, width};
    }
}

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
    // Outputs take the place of images: what is NHWC for them is KRSC for the weights.
    const TensorShape shape = weight_shape(layer);
    to_nhwc(weights.weights, shape, type, packed.first(shape.bytes(type)));
    if (bias == BiasType::none || weights.bias.empty()) return;
    const TensorShape vector{1, layer.out_channels, 1, 1};
    const DataType stored = stored_as(bias, type);
    to_nhwc(weights.bias, vector, stored, packed.subspan(layout.bias_offset, vector.bytes(stored)));
}

}  // namespace hacscale::cuda
