#include "training/augment.hpp"

#include <algorithm>

namespace hacscale {
namespace {

// First and last + 1 of the columns (or rows) of the output that show the image.
struct Span {
    int begin;
    int end;
};

Span shown(int shift, int size) {
    return {std::clamp(-shift, 0, size), std::clamp(size - shift, 0, size)};
}

void blank_square(const ImageSet& images, const AugmentationDraw& drawn, bool channels_last, float* out) {
    const int top = drawn.cutout_y - drawn.cutout / 2;
    const int left = drawn.cutout_x - drawn.cutout / 2;
    const int begin = std::max(left, 0);
    const int end = std::min(left + drawn.cutout, images.width);
    for (int y = std::max(top, 0); y < std::min(top + drawn.cutout, images.height); ++y) {
        if (channels_last) {
            float* row = out + static_cast<std::ptrdiff_t>(y) * images.width * images.channels;
            std::fill(row + begin * images.channels, row + end * images.channels, 0.0F);
            continue;
        }
        for (int channel = 0; channel < images.channels; ++channel) {
            float* row = out + (static_cast<std::ptrdiff_t>(channel) * images.height + y) * images.width;
            std::fill(row + begin, row + end, 0.0F);
        }
    }
}

}  // namespace

AugmentationDraw draw(const Augmentation& augmentation, const ImageSet& images, RandomStream random) {
    AugmentationDraw drawn;
    const bool flip = random.below(2) == 1;
    const int places = 2 * augmentation.crop_padding + 1;
    drawn.flip = augmentation.flip && flip;
    drawn.shift_y = random.below(places) - augmentation.crop_padding;
    drawn.shift_x = random.below(places) - augmentation.crop_padding;
    drawn.cutout = augmentation.cutout;
    drawn.cutout_y = random.below(images.height);
    drawn.cutout_x = random.below(images.width);
    return drawn;
}

PixelScale::PixelScale(const Normalization& normalization) {
    for (std::size_t channel = 0; channel < values_.size(); ++channel) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            values_[channel][byte] = (static_cast<float>(byte) / 255.0F - normalization.mean[channel]) /
                                     normalization.deviation[channel];
        }
    }
}

void place_image(const ImageSet& images, int index, const AugmentationDraw& drawn, const PixelScale& scale,
                 bool channels_last, float* out) {
    const int height = images.height;
    const int width = images.width;
    const Span rows = shown(drawn.shift_y, height);
    const Span columns = shown(drawn.shift_x, width);
    if (drawn.shift_y != 0 || drawn.shift_x != 0) std::fill_n(out, images.image_bytes(), 0.0F);
    // Steps between neighbouring columns, rows and channels of the output.
    const std::ptrdiff_t step = channels_last ? images.channels : 1;
    const std::ptrdiff_t row_step = step * width;
    const std::ptrdiff_t channel_step = channels_last ? 1 : row_step * height;
    for (int channel = 0; channel < images.channels; ++channel) {
        const std::uint8_t* plane =
            images.image(index) + static_cast<std::ptrdiff_t>(channel) * height * width;
        for (int y = rows.begin; y < rows.end; ++y) {
            const std::uint8_t* from = plane + static_cast<std::ptrdiff_t>(y + drawn.shift_y) * width;
            float* to = out + channel * channel_step + y * row_step;
            // Column x of the flipped image is column width - 1 - x of the image.
            const int first = columns.begin + drawn.shift_x;
            const std::uint8_t* pixel = from + (drawn.flip ? width - 1 - first : first);
            const int direction = drawn.flip ? -1 : 1;
            for (int x = columns.begin; x < columns.end; ++x, pixel += direction) {
                to[x * step] = scale(channel, *pixel);
            }
        }
    }
    if (drawn.cutout > 0) blank_square(images, drawn, channels_last, out);
}

}  // namespace hacscale
