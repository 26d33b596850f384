#include "training/images.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace hacscale {

void ByteCounts::add(const Picture& picture) {
    const std::size_t plane = static_cast<std::size_t>(picture.size.height) * picture.size.width;
    for (std::size_t channel = 0; channel < counts_.size(); ++channel) {
        const std::uint8_t* pixel = picture.pixels + channel * plane;
        for (std::size_t p = 0; p < plane; ++p) ++counts_[channel][pixel[p]];
    }
}

void ByteCounts::add(const ByteCounts& other) {
    for (std::size_t channel = 0; channel < counts_.size(); ++channel) {
        for (std::size_t value = 0; value < 256; ++value) {
            counts_[channel][value] += other.counts_[channel][value];
        }
    }
}

// Bytes have 256 values: the two passes that a sound variance needs go over counts.
Normalization ByteCounts::normalization() const {
    Normalization result;
    for (std::size_t channel = 0; channel < counts_.size(); ++channel) {
        const auto& counts = counts_[channel];
        const double count =
            static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
        if (count == 0.0) return result;
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

Normalization normalization_of(const ImageSet& images) {
    ByteCounts counts;
    for (int i = 0; i < images.count(); ++i) counts.add({images.size(), images.image(i)});
    return counts.normalization();
}

namespace {

// First and last + 1 of the columns (or rows) of the output that show the image.
struct Span {
    int begin;
    int end;
};

Span shown(int shift, int size) {
    return {std::clamp(-shift, 0, size), std::clamp(size - shift, 0, size)};
}

// What of the region is on the image becomes 0.
void blank(const Region& region, ImageSize size, bool channels_last, float* out) {
    const std::ptrdiff_t channels = 3;
    const int begin = std::max(region.left, 0);
    const int end = std::min(region.left + region.width, size.width);
    if (begin >= end) return;
    for (int y = std::max(region.top, 0); y < std::min(region.top + region.height, size.height); ++y) {
        if (channels_last) {
            float* row = out + static_cast<std::ptrdiff_t>(y) * size.width * channels;
            std::fill(row + begin * channels, row + end * channels, 0.0F);
            continue;
        }
        for (std::ptrdiff_t channel = 0; channel < channels; ++channel) {
            float* row = out + (channel * size.height + y) * size.width;
            std::fill(row + begin, row + end, 0.0F);
        }
    }
}

// The picture in the size that networks read, cropped as drawn, or its middle.
Picture resized(const ImageSet& images, const Picture& picture, const std::optional<Region>& crop,
                PlacingMemory& memory) {
    if (!crop && images.all_of_this_size) return picture;
    const View view = crop ? crop_view(*crop, images.size()) : evaluation_view(picture.size, images.size());
    return resample(picture, view, memory.between, memory.resized);
}

}  // namespace

PixelScale::PixelScale(const Normalization& normalization) {
    for (std::size_t channel = 0; channel < values_.size(); ++channel) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            values_[channel][byte] = (static_cast<float>(byte) / 255.0F - normalization.mean[channel]) /
                                     normalization.deviation[channel];
        }
    }
}

void place_augmented(const ImageSet& images, int index, const Augmentation& augmentation, RandomStream random,
                     const PixelScale& scale, bool channels_last, PlacingMemory& memory, float* out) {
    const Picture picture = images.picture(index, memory.decoded);
    const AugmentationDraw drawn = draw(augmentation, picture.size, images.size(), random);
    place_image(resized(images, picture, drawn.crop, memory), drawn, scale, channels_last, out);
}

void place_unchanged(const ImageSet& images, int index, const PixelScale& scale, bool channels_last,
                     PlacingMemory& memory, float* out) {
    const Picture picture = images.picture(index, memory.decoded);
    place_image(resized(images, picture, {}, memory), {}, scale, channels_last, out);
}

void place_image(const Picture& picture, const AugmentationDraw& drawn, const PixelScale& scale,
                 bool channels_last, float* out) {
    constexpr int channels = 3;
    const auto [height, width] = picture.size;
    const Span rows = shown(drawn.shift_y, height);
    const Span columns = shown(drawn.shift_x, width);
    if (drawn.shift_y != 0 || drawn.shift_x != 0) {
        std::fill_n(out, channels * static_cast<std::size_t>(height) * width, 0.0F);
    }
    // Steps between neighbouring columns, rows and channels of the output.
    const std::ptrdiff_t step = channels_last ? channels : 1;
    const std::ptrdiff_t row_step = step * width;
    const std::ptrdiff_t channel_step = channels_last ? 1 : row_step * height;
    for (int channel = 0; channel < channels; ++channel) {
        const std::uint8_t* plane = picture.pixels + static_cast<std::ptrdiff_t>(channel) * height * width;
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
    if (drawn.cutout > 0) {
        blank({drawn.cutout_y - drawn.cutout / 2, drawn.cutout_x - drawn.cutout / 2, drawn.cutout,
               drawn.cutout},
              picture.size, channels_last, out);
    }
    if (drawn.erased) blank(*drawn.erased, picture.size, channels_last, out);
}

}  // namespace hacscale
