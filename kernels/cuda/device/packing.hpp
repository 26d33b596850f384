// How layers hand their numbers to kernels, and how weights are laid out on the device: parts one after the other, each aligned
// to a cache line, matrices in the network's data type and vectors of one number a channel in f32.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/cuda_layer.hpp"

namespace hacscale::cuda {

// Offsets of parts that are one after the other.
class PartLayout {
public:
    // Returns the part's offset.
    std::size_t add(std::size_t bytes);
    std::size_t bytes() const { return bytes_; }

private:
    std::size_t bytes_ = 0;
};

// Rounds to the data type (f32 and tf32 are kept) and writes from the start of `to`.
void pack_elements(std::span<const float> values, DataType type, std::span<std::byte> to);
// f32. `count` zeros where there are no values: a layer without a bias.
void pack_floats(std::span<const float> values, std::size_t count, std::span<std::byte> to);

// The matrix [rows][columns] as [columns][rows].
std::vector<float> transposed(std::span<const float> matrix, std::size_t rows, std::size_t columns);

// `offset` bytes after the start.
template <typename T>
const T* part(const void* start, std::size_t offset) {
    return reinterpret_cast<const T*>(static_cast<const std::byte*>(start) + offset);
}

// Whether rows of so many elements can be read 16 bytes at a time.
bool fits_vectors(int elements, DataType type);

// "hacscale WHAT v8 f16": the elements of an access, and the type that is computed with.
std::string kernel_name(const std::string& what, bool vectors, DataType type);

// "3x3 s2", "3x2 s2x1", "3x3 s1 d2": a window's kernel, stride and dilation.
std::string window_name(const Window& window);

// Whether one kernel size, one stride and one padding in front say all that a kernel must know of the window: behind the map
// it sees the map's end.
bool is_square_in_front(const Window& window);

// What the parameters of all convs' kernels have in common: the tensors but for the weights, the input's map, the
// activation. The bias is at this offset of the weights.
template <typename Params>
Params conv_params(const LayerSpec& layer, const LayerBuffers& buffers, std::size_t bias_offset) {
    Params params;
    params.input = buffers.input;
    params.bias = part<float>(buffers.weights, bias_offset);
    params.output = buffers.output;
    params.in_height = layer.in_height;
    params.in_width = layer.in_width;
    params.padding = layer.padding();
    params.activation = layer.activation;
    if constexpr (requires { params.residual; }) {
        params.residual = layer.residual ? buffers.residual : nullptr;
    }
    if constexpr (requires { params.channels; }) params.channels = layer.in_channels;
    return params;
}

}  // namespace hacscale::cuda
