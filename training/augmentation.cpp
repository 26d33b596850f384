#include "training/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hacscale {
namespace {

// A rectangle is drawn anew when it does not fit, this many times, as torchvision does.
constexpr int tries = 10;
constexpr double erased_min_scale = 0.02;
constexpr double erased_max_scale = 0.33;
constexpr double erased_min_ratio = 0.3;
constexpr double erased_max_ratio = 3.3;

double between(double low, double high, RandomStream& random) {
    return low + (high - low) * random.uniform();
}

// Even in the logarithm, so that as many are twice as wide as high as the other way round.
double ratio_between(double low, double high, RandomStream& random) {
    return std::exp(between(std::log(low), std::log(high), random));
}

int rounded(double value) {
    return static_cast<int>(std::nearbyint(value));
}

Region placed(int height, int width, ImageSize in, RandomStream& random) {
    const int top = random.below(in.height - height + 1);
    const int left = random.below(in.width - width + 1);
    return {top, left, height, width};
}

// The largest region in the middle whose ratio is allowed.
Region middle(const RandomResizedCrop& crop, ImageSize picture) {
    const double ratio = static_cast<double>(picture.width) / picture.height;
    int height = picture.height;
    int width = picture.width;
    if (ratio < crop.min_ratio) {
        height = std::clamp(rounded(width / crop.min_ratio), 1, picture.height);
    } else if (ratio > crop.max_ratio) {
        width = std::clamp(rounded(height * crop.max_ratio), 1, picture.width);
    }
    return {(picture.height - height) / 2, (picture.width - width) / 2, height, width};
}

Region draw_crop(const RandomResizedCrop& crop, ImageSize picture, RandomStream random) {
    const double area = static_cast<double>(picture.height) * picture.width;
    for (int i = 0; i < tries; ++i) {
        const double wanted = area * between(crop.min_scale, crop.max_scale, random);
        const double ratio = ratio_between(crop.min_ratio, crop.max_ratio, random);
        const int width = rounded(std::sqrt(wanted * ratio));
        const int height = rounded(std::sqrt(wanted / ratio));
        if (width > 0 && height > 0 && width <= picture.width && height <= picture.height) {
            return placed(height, width, picture, random);
        }
    }
    return middle(crop, picture);
}

// Nothing where no rectangle fits, as may be on an image of a few pixels.
std::optional<Region> draw_erased(ImageSize size, RandomStream random) {
    const double area = static_cast<double>(size.height) * size.width;
    for (int i = 0; i < tries; ++i) {
        const double wanted = area * between(erased_min_scale, erased_max_scale, random);
        const double ratio = ratio_between(erased_min_ratio, erased_max_ratio, random);
        const int height = rounded(std::sqrt(wanted * ratio));
        const int width = rounded(std::sqrt(wanted / ratio));
        if (width > 0 && height > 0 && width < size.width && height < size.height) {
            return placed(height, width, size, random);
        }
    }
    return std::nullopt;
}

}  // namespace

AugmentationDraw draw(const Augmentation& augmentation, ImageSize picture, ImageSize size,
                      RandomStream random) {
    AugmentationDraw drawn;
    const bool flip = random.below(2) == 1;
    const int places = 2 * augmentation.crop_padding + 1;
    drawn.flip = augmentation.flip && flip;
    drawn.shift_y = random.below(places) - augmentation.crop_padding;
    drawn.shift_x = random.below(places) - augmentation.crop_padding;
    drawn.cutout = augmentation.cutout;
    drawn.cutout_y = random.below(size.height);
    drawn.cutout_x = random.below(size.width);
    // These need more numbers for one image than for another, so each has a stream of its own.
    const RandomStream crop{random.bits()};
    RandomStream erasing{random.bits()};
    if (augmentation.random_resized_crop) {
        drawn.crop = draw_crop(*augmentation.random_resized_crop, picture, crop);
    }
    if (erasing.uniform() < augmentation.random_erasing) drawn.erased = draw_erased(size, erasing);
    return drawn;
}

// Jöhnk 1964: two uniform numbers to the power 1 / alpha, drawn again until their sum is at most 1. In logarithms, because
// the powers of a small alpha are too small for a double.
float draw_share(double alpha, RandomStream random) {
    for (;;) {
        const double x = std::log(1.0 - random.uniform()) / alpha;
        const double y = std::log(1.0 - random.uniform()) / alpha;
        const double larger = std::max(x, y);
        if (std::exp(x) + std::exp(y) > 1.0) continue;
        // The share of the larger of the two.
        return static_cast<float>(1.0 / (1.0 + std::exp(std::min(x, y) - larger)));
    }
}

}  // namespace hacscale
