// What training images go through, and the random numbers of one image. An image of an epoch looks the same on each run,
// whatever other images were drawn before it.
#pragma once

#include <cstdint>
#include <optional>

#include "training/random.hpp"
#include "training/resample.hpp"

namespace hacscale {

// A random part of the image, resized to what the network reads (Szegedy et al. 2015, arXiv 1409.4842).
struct RandomResizedCrop {
    double min_scale = 0.08;  // of the image's area
    double max_scale = 1.0;
    double min_ratio = 0.75;  // width over height
    double max_ratio = 4.0 / 3.0;
    bool operator==(const RandomResizedCrop&) const = default;
};

// In this order. Images of validation and test go through nothing.
struct Augmentation {
    bool flip = true;      // left and right exchanged in half of the images
    int crop_padding = 4;  // pixels added on each side before a crop of the image's own size; 0: no crop
    int cutout = 0;        // side of the square, anywhere on the image, that is blanked; 0: none
    // Before the flip; nothing: the whole image, or its middle where images have other sizes than the network reads.
    std::optional<RandomResizedCrop> random_resized_crop{};
    // Probability that a rectangle is blanked (Zhong et al. 2017, arXiv 1708.04896): 2 to 33 % of the area, 0.3 to 3.3 times
    // as high as it is wide.
    double random_erasing = 0.0;
    // Alpha of the Beta distribution of the shares in which each image is mixed with the one before it in the batch (Zhang
    // et al. 2017, arXiv 1710.09412); 0: images are not mixed.
    double mixup = 0.0;
    bool operator==(const Augmentation&) const = default;
};

// What was drawn for one image.
struct AugmentationDraw {
    bool flip = false;
    int shift_y = 0;  // of the crop, -crop_padding..crop_padding
    int shift_x = 0;
    int cutout = 0;  // side of the blanked square; its centre is anywhere on the image, so it may stick out
    int cutout_y = 0;
    int cutout_x = 0;
    std::optional<Region> crop{};    // of the picture
    std::optional<Region> erased{};  // of what the network reads
};

// Draws the same numbers whichever parts are used, so that one part of a recipe does not change another's
// draws. `picture` is the image's own size, `size` what the network reads.
AugmentationDraw draw(const Augmentation& augmentation, ImageSize picture, ImageSize size,
                      RandomStream random);

// The image's own share when it is mixed, at least a half: of (lambda, 1 - lambda), lambda from Beta(alpha, alpha), the
// larger. Each image is so the larger part of one mixture an epoch. alpha is above 0 and at most 2.
float draw_share(double alpha, RandomStream random);

}  // namespace hacscale
