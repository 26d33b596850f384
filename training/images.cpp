#include "training/images.hpp"

#include <algorithm>
#include <cmath>

namespace hacscale {
Normalization normalization_of(const ImageSet& images) {
    Normalization result;
    const std::size_t plane = static_cast<std::size_t>(images.height) * images.width;
    const double count = static_cast<double>(images.count()) * static_cast<double>(plane);
    if (count == 0.0) return result;
    for (std::size_t channel = 0; channel < static_cast<std::size_t>(images.channels); ++channel) {
        // Bytes have 256 values: the two passes that a sound variance needs go over counts.
        std::array<std::int64_t, 256> counts{};
        for (int i = 0; i < images.count(); ++i) {
            const std::uint8_t* pixel = images.image(i) + channel * plane;
            for (std::size_t p = 0; p < plane; ++p) ++counts[pixel[p]];
        }
        double mean = 0.0;
        for (std::size_t value = 0; value < counts.size(); ++value) {
            mean += static_cast<double>(value) * static_cast<double>(counts[value]) / count;
        }
        double variance = 0.0;
        for (std::size_t value = 0; value < counts.size(); ++value) {
            const double distance = static_cast<double>(value) - mean;
            variance += distance * distance * static_cast<double>(counts[value]) / count;
        }
        result.mean[channel] = static_cast<float>(mean / 255.0);
        // A channel of one value everywhere (no photograph has one) is shifted only.
        result.deviation[channel] = variance > 0.0 ? static_cast<float>(std::sqrt(variance) / 255.0) : 1.0F;
    }
    return result;
}

// ---- Augmentation ----

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
