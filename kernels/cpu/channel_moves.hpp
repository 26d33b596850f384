// Channels of tensors brought to other places: a concat, a slice, a shuffle. Which channel goes where is worked out once, as
// runs of channels that are neighbours in memory on both sides; the same runs hold for every pixel.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/cpu/tensor.hpp"

namespace hacscale::cpu {

// A channel of an input that becomes one of the output.
struct ChannelMove {
    int input = 0;
    int from = 0;
    int to = 0;
};

struct ChannelRun {
    int input = 0;
    std::ptrdiff_t from = 0;  // elements from an image's first one, at its first pixel
    std::ptrdiff_t to = 0;
    int count = 0;
};

std::vector<ChannelRun> channel_runs(std::span<const TensorShape> inputs, const TensorShape& output,
                                     std::span<const ChannelMove> moves);

// Elements between neighbouring pixels.
std::ptrdiff_t pixel_stride(const TensorShape& shape);
std::size_t image_elements(const TensorShape& shape);

// Pixels that are evenly spaced on both sides.
struct PixelWalk {
    std::ptrdiff_t from = 0;  // elements to the first pixel
    std::ptrdiff_t from_stride = 0;
    std::ptrdiff_t to = 0;
    std::ptrdiff_t to_stride = 0;
    int pixels = 0;
};

// Moves the run's channels of these pixels; an element has 1, 2 or 4 bytes.
void move_channels(const ChannelRun& run, const PixelWalk& walk, std::size_t element_bytes,
                   const std::byte* from, std::byte* to);

}  // namespace hacscale::cpu
