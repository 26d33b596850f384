#include "training/images.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>
#include <vector>

namespace hacscale {
namespace {

constexpr int side = 6;

// One image whose bytes are all different from 0, so that blank places are seen.
ImageSet one_image() {
    ImageSet images;
    images.height = images.width = side;
    for (int i = 0; i < 3 * side * side; ++i) images.pixels.push_back(static_cast<std::uint8_t>(i + 1));
    images.labels = {0};
    return images;
}

// What a pixel should be, by the definition: the flip comes first, then the crop, then the cutout.
float expected(const ImageSet& images, const AugmentationDraw& drawn, const PixelScale& scale, int channel,
               int y, int x) {
    const int top = drawn.cutout_y - drawn.cutout / 2;
    const int left = drawn.cutout_x - drawn.cutout / 2;
    if (y >= top && y < top + drawn.cutout && x >= left && x < left + drawn.cutout) return 0.0F;
    const int from_y = y + drawn.shift_y;
    int from_x = x + drawn.shift_x;
    if (from_y < 0 || from_y >= side || from_x < 0 || from_x >= side) return 0.0F;
    if (drawn.flip) from_x = side - 1 - from_x;
    return scale(channel, images.pixels[static_cast<std::size_t>((channel * side + from_y) * side + from_x)]);
}

TEST(Augment, PlacesEveryPixelByTheDefinition) {
    const ImageSet images = one_image();
    const PixelScale scale({{0.1F, 0.2F, 0.3F}, {0.5F, 0.6F, 0.7F}});
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        const Augmentation settings{true, static_cast<int>(seed % 9), static_cast<int>(seed % 5)};
        const AugmentationDraw drawn = draw(settings, images, RandomStream{seed});
        for (const bool channels_last : {false, true}) {
            std::vector<float> out(images.image_bytes(), 99.0F);
            place_image(images, 0, drawn, scale, channels_last, out.data());
            for (int channel = 0; channel < 3; ++channel) {
                for (int y = 0; y < side; ++y) {
                    for (int x = 0; x < side; ++x) {
                        const int place =
                            channels_last ? (y * side + x) * 3 + channel : (channel * side + y) * side + x;
                        ASSERT_EQ(out[static_cast<std::size_t>(place)],
                                  expected(images, drawn, scale, channel, y, x))
                            << "seed " << seed << " channel " << channel << " y " << y << " x " << x;
                    }
                }
            }
        }
    }
}

TEST(Augment, DrawsEveryFlipAndShiftAboutEquallyOften) {
    const ImageSet images = one_image();
    const Augmentation settings{true, 1, 0};
    std::map<std::tuple<bool, int, int>, int> counts;
    for (std::uint64_t seed = 0; seed < 18'000; ++seed) {
        const AugmentationDraw drawn = draw(settings, images, RandomStream{7, seed});
        ++counts[{drawn.flip, drawn.shift_y, drawn.shift_x}];
    }
    ASSERT_EQ(counts.size(), 18U);
    for (const auto& [what, count] : counts) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
}

TEST(Augment, OnePartDoesNotChangeTheDrawsOfAnother) {
    const ImageSet images = one_image();
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const AugmentationDraw with = draw({true, 4, 3}, images, RandomStream{seed});
        const AugmentationDraw without = draw({false, 4, 0}, images, RandomStream{seed});
        EXPECT_EQ(with.shift_y, without.shift_y);
        EXPECT_EQ(with.shift_x, without.shift_x);
    }
}

TEST(RandomStream, BeginsElsewhereForEveryPlace) {
    std::set<std::uint64_t> first;
    for (std::uint64_t a = 0; a < 30; ++a) {
        for (std::uint64_t b = 0; b < 30; ++b) first.insert(RandomStream{a, b}.bits());
    }
    EXPECT_EQ(first.size(), 900U);
}

}  // namespace
}  // namespace hacscale
