#include "kernels/cuda/host_tensor.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <stdexcept>

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

}  // namespace

TensorShape input_shape(const LayerSpec& layer, int batch) {
    return {batch, layer.in_channels, layer.in_height, layer.in_width};
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
    }
    return nchw;
}

}  // namespace hacscale::cuda
