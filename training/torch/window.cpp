#include "training/torch/window.hpp"

#include <array>
#include <limits>

namespace hacscale::training {
namespace {

using Sizes = std::array<std::int64_t, 2>;

Sizes sizes(const std::array<int, 2>& values) {
    return {values[0], values[1]};
}

// The input with what libtorch does not pad itself, and what it does.
struct Padded {
    at::Tensor input;
    Sizes padding;
};

Padded padded(const Window& window, const at::Tensor& input, const Sizes& most, double fill) {
    const auto& [top, left, bottom, right] = window.pads;
    if (top == bottom && left == right && top <= most[0] && left <= most[1]) return {input, {top, left}};
    return {at::constant_pad_nd(input, {left, right, top, bottom}, fill), {0, 0}};
}

}  // namespace

at::Tensor conv_over(const Window& window, const at::Tensor& input, const at::Tensor& weight,
                     const at::Tensor& bias, std::int64_t groups) {
    const auto [images, padding] = padded(window, input, {max_layer_size, max_layer_size}, 0.0);
    return at::conv2d(images, weight, bias, sizes(window.strides), padding, sizes(window.dilations), groups);
}

at::Tensor max_pool_over(const Window& window, const at::Tensor& input) {
    const Sizes kernel = sizes(window.kernel);
    const auto [images, padding] =
        padded(window, input, {kernel[0] / 2, kernel[1] / 2}, -std::numeric_limits<double>::infinity());
    return at::max_pool2d(images, kernel, sizes(window.strides), padding, sizes(window.dilations));
}

at::Tensor avg_pool_over(const Window& window, const at::Tensor& input) {
    const Sizes kernel = sizes(window.kernel);
    const auto pool = [&](const at::Tensor& maps) {
        const auto [images, padding] = padded(window, maps, {kernel[0] / 2, kernel[1] / 2}, 0.0);
        return at::avg_pool2d(images, kernel, sizes(window.strides), padding, /*ceil_mode=*/false,
                              /*count_include_pad=*/false);
    };
    const auto& [top, left, bottom, right] = window.pads;
    const bool by_libtorch = top == bottom && left == right && 2 * top <= kernel[0] && 2 * left <= kernel[1];
    // Zeros laid around the map count, as often in the mean of ones.
    return by_libtorch ? pool(input) : pool(input) / pool(at::ones_like(input));
}

}  // namespace hacscale::training
