#include "kernels/cuda/device/packing.hpp"

#include <algorithm>
#include <cstring>

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {
namespace {

constexpr std::size_t part_alignment = 128;

}  // namespace

std::size_t PartLayout::add(std::size_t bytes) {
    const std::size_t offset = ceil_div(bytes_, part_alignment) * part_alignment;
    bytes_ = offset + bytes;
    return offset;
}

void pack_elements(std::span<const float> values, DataType type, std::span<std::byte> to) {
    with_element(type, [&](auto element) {
        using T = decltype(element);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const T value = from_float<T>(values[i]);
            std::memcpy(&to[i * sizeof(T)], &value, sizeof(T));
        }
    });
}

void pack_floats(std::span<const float> values, std::size_t count, std::span<std::byte> to) {
    std::vector<float> padded(count, 0.0F);
    std::copy(values.begin(), values.end(), padded.begin());
    std::memcpy(to.data(), padded.data(), count * sizeof(float));
}

std::vector<float> transposed(std::span<const float> matrix, std::size_t rows, std::size_t columns) {
    std::vector<float> result(matrix.size());
    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) result[c * rows + r] = matrix[r * columns + c];
    }
    return result;
}

bool fits_vectors(int elements, DataType type) {
    return elements % vector_width_of(type) == 0;
}

bool is_square_in_front(const Window& window) {
    Window even = window;
    even.pads[2] = even.pads[0];
    even.pads[3] = even.pads[1];
    return even.is_square();
}

std::string window_name(const Window& window) {
    const auto [height, width] = window.kernel;
    const auto pair = [](const char* letter, const std::array<int, 2>& values) {
        const std::string first = letter + std::to_string(values[0]);
        return values[0] == values[1] ? first : first + "x" + std::to_string(values[1]);
    };
    std::string name = std::to_string(height) + "x" + std::to_string(width) + pair(" s", window.strides);
    if (window.dilations != Window().dilations) name += pair(" d", window.dilations);
    return name;
}

std::string kernel_name(const std::string& what, bool vectors, DataType type) {
    const DataType computed = type == DataType::tf32 ? DataType::f32 : type;
    return "hacscale " + what + " v" + std::to_string(vectors ? vector_width_of(type) : 1) + " " +
           std::string(name_of(computed));
}

}  // namespace hacscale::cuda
