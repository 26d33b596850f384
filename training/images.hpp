// Small images with labels, in memory, as a data set has them, and what one of them goes through on its way into a
// batch: augmentation, normalization, and the batch's layout.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "training/random.hpp"
#include "training/recipe.hpp"

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

// What was drawn for one image.
struct AugmentationDraw {
    bool flip = false;
    int shift_y = 0;  // of the crop, -crop_padding..crop_padding
    int shift_x = 0;
    int cutout = 0;  // side of the blanked square; its centre is anywhere on the image, so it may stick out
    int cutout_y = 0;
    int cutout_x = 0;
};

// Draws the same numbers whichever parts are used, so that one part of a recipe does not change another's
// draws.
AugmentationDraw draw(const Augmentation& augmentation, const ImageSet& images, RandomStream random);

// Turns bytes into normalized floats: (byte / 255 - mean) / deviation.
class PixelScale {
public:
    explicit PixelScale(const Normalization& normalization);
    float operator()(int channel, std::uint8_t byte) const {
        return values_[static_cast<std::size_t>(channel)][byte];
    }

private:
    std::array<std::array<float, 256>, 3> values_;
};

// Writes image `index` of the set to `out`, [C][H][W] or [H][W][C]. The image is flipped, then cropped, then
// cut out; what is outside of the image or within the cutout is 0, which is the mean colour.
void place_image(const ImageSet& images, int index, const AugmentationDraw& drawn, const PixelScale& scale,
                 bool channels_last, float* out);

}  // namespace hacscale
