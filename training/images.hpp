// Small images with labels, in memory, as a data set has them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hacscale {

struct ImageSet {
    int channels = 3;
    int height = 32;
    int width = 32;
    int classes = 10;
    std::vector<std::uint8_t> pixels;  // [count][channels][height][width]
    std::vector<std::uint8_t> labels;  // [count]

    int count() const { return static_cast<int>(labels.size()); }
    std::size_t image_bytes() const { return static_cast<std::size_t>(channels) * height * width; }
    const std::uint8_t* image(int index) const { return pixels.data() + index * image_bytes(); }
};

// Of each channel, in units of a pixel's full value (0..1): what images are shifted and divided by.
struct Normalization {
    std::array<float, 3> mean{};
    std::array<float, 3> deviation{1.0F, 1.0F, 1.0F};
};

// Over all pixels of all images.
Normalization normalization_of(const ImageSet& images);

}  // namespace hacscale
