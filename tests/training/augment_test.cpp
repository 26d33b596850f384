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
        const AugmentationDraw drawn = draw(settings, images.size(), images.size(), RandomStream{seed});
        for (const bool channels_last : {false, true}) {
            std::vector<float> out(images.image_bytes(), 99.0F);
            place_image({images.size(), images.image(0)}, drawn, scale, channels_last, out.data());
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
        const AugmentationDraw drawn = draw(settings, images.size(), images.size(), RandomStream{7, seed});
        ++counts[{drawn.flip, drawn.shift_y, drawn.shift_x}];
    }
    ASSERT_EQ(counts.size(), 18U);
    for (const auto& [what, count] : counts) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
}

TEST(Augment, OnePartDoesNotChangeTheDrawsOfAnother) {
    const ImageSet images = one_image();
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const AugmentationDraw with = draw({true, 4, 3}, images.size(), images.size(), RandomStream{seed});
        const AugmentationDraw without =
            draw({false, 4, 0}, images.size(), images.size(), RandomStream{seed});
        EXPECT_EQ(with.shift_y, without.shift_y);
        EXPECT_EQ(with.shift_x, without.shift_x);
    }
}

TEST(Augment, ACropIsWithinTheImageAndOfTheScaleAndRatioAskedFor) {
    RandomStream random{3};
    int fallbacks = 0;
    for (int i = 0; i < 5000; ++i) {
        Augmentation settings{true, 0, 0};
        RandomResizedCrop crop;
        crop.min_scale = 0.05 + 0.9 * random.uniform();
        crop.max_scale = crop.min_scale + (1.0 - crop.min_scale) * random.uniform();
        crop.min_ratio = 0.5 + 0.5 * random.uniform();
        crop.max_ratio = crop.min_ratio + random.uniform();
        settings.random_resized_crop = crop;
        const ImageSize picture{1 + random.below(200), 1 + random.below(200)};
        const AugmentationDraw drawn = draw(settings, picture, {32, 32}, RandomStream{9, random.bits()});
        ASSERT_TRUE(drawn.crop.has_value());
        const Region& region = *drawn.crop;
        ASSERT_GE(region.top, 0);
        ASSERT_GE(region.left, 0);
        ASSERT_GE(region.height, 1);
        ASSERT_GE(region.width, 1);
        ASSERT_LE(region.top + region.height, picture.height);
        ASSERT_LE(region.left + region.width, picture.width);
        // Sides are rounded to pixels: up to half a pixel each way. Where no try fits, the crop is the middle.
        const double height = region.height, width = region.width;
        const double area = static_cast<double>(picture.height) * picture.width;
        const bool is_drawn = (height + 0.5) * (width + 0.5) >= crop.min_scale * area &&
                              (height - 0.5) * (width - 0.5) <= crop.max_scale * area &&
                              (width + 0.5) / (height - 0.5) >= crop.min_ratio &&
                              (width - 0.5) / (height + 0.5) <= crop.max_ratio;
        if (is_drawn) continue;
        ++fallbacks;
        ASSERT_TRUE(region.height == picture.height || region.width == picture.width);
        ASSERT_EQ(region.top, (picture.height - region.height) / 2);
        ASSERT_EQ(region.left, (picture.width - region.width) / 2);
    }
    EXPECT_LT(fallbacks, 2000);
    EXPECT_GT(fallbacks, 0);
}

TEST(Augment, ACropIsResizedThenFlippedAndErased) {
    ImageSet images = one_image();
    Augmentation settings{true, 0, 0};
    settings.random_resized_crop = RandomResizedCrop{};
    settings.random_erasing = 0.5;
    const PixelScale scale({{0.1F, 0.2F, 0.3F}, {0.5F, 0.6F, 0.7F}});
    PlacingMemory memory;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const AugmentationDraw drawn = draw(settings, images.size(), images.size(), RandomStream{seed});
        std::vector<std::uint8_t> between, cut;
        resample({images.size(), images.image(0)}, crop_view(*drawn.crop, images.size()), between, cut);
        std::vector<float> out(images.image_bytes());
        place_augmented(images, 0, settings, RandomStream{seed}, scale, false, memory, out.data());
        for (int i = 0; i < 3 * side * side; ++i) {
            const int channel = i / (side * side), y = i / side % side, x = i % side;
            const int from_x = drawn.flip ? side - 1 - x : x;
            const Region erased = drawn.erased.value_or(Region{});
            const bool is_blank = y >= erased.top && y < erased.top + erased.height && x >= erased.left &&
                                  x < erased.left + erased.width;
            const float wanted =
                is_blank
                    ? 0.0F
                    : scale(channel, cut[static_cast<std::size_t>((channel * side + y) * side + from_x)]);
            ASSERT_EQ(out[static_cast<std::size_t>(i)], wanted) << seed << " " << i;
        }
    }
}

TEST(Augment, ErasesAsOftenAndAsMuchAsAskedFor) {
    Augmentation settings{true, 0, 0};
    settings.random_erasing = 0.25;
    const ImageSize size{40, 60};
    int erased = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        const AugmentationDraw drawn = draw(settings, size, size, RandomStream{5, seed});
        if (!drawn.erased) continue;
        ++erased;
        const Region& region = *drawn.erased;
        ASSERT_GE(region.top, 0);
        ASSERT_GE(region.left, 0);
        ASSERT_LE(region.top + region.height, size.height);
        ASSERT_LE(region.left + region.width, size.width);
        ASSERT_GE((region.height + 0.5) * (region.width + 0.5), 0.02 * 2400);
        ASSERT_LE((region.height - 0.5) * (region.width - 0.5), 0.33 * 2400);
    }
    EXPECT_NEAR(erased, 1000, 140);  // five standard deviations
}

TEST(Augment, NewPartsDoNotChangeTheDrawsOfTheOld) {
    const ImageSize size{32, 32};
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Augmentation all{true, 4, 3};
        all.random_erasing = 1.0;
        all.random_resized_crop = RandomResizedCrop{};
        AugmentationDraw with = draw(all, {50, 40}, size, RandomStream{seed});
        EXPECT_TRUE(with.erased && with.crop);
        Augmentation no_crop = all;
        no_crop.random_resized_crop.reset();
        EXPECT_EQ(draw(no_crop, {50, 40}, size, RandomStream{seed}).erased, with.erased);
        with.erased.reset();
        with.crop.reset();
        const AugmentationDraw without = draw({true, 4, 3}, size, size, RandomStream{seed});
        EXPECT_EQ(without.flip, with.flip);
        EXPECT_EQ(without.shift_y, with.shift_y);
        EXPECT_EQ(without.shift_x, with.shift_x);
        EXPECT_EQ(without.cutout_y, with.cutout_y);
        EXPECT_EQ(without.cutout_x, with.cutout_x);
    }
}

// The larger of a share and its rest has, for Beta(1, 1), which is uniform, the mean 3/4; the smaller alpha is, the nearer
// it is to 1. For alpha 1 the variance is 1/48.
TEST(Augment, SharesOfMixturesFollowTheBetaDistribution) {
    const auto mean_of = [](double alpha) {
        double sum = 0.0;
        for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
            const float share = draw_share(alpha, RandomStream{1, seed});
            EXPECT_GE(share, 0.5F);
            EXPECT_LE(share, 1.0F);
            sum += share;
        }
        return sum / 20'000;
    };
    EXPECT_NEAR(mean_of(1.0), 0.75, 0.006);
    EXPECT_NEAR(mean_of(2.0), 0.6875, 0.006);  // the mean of max(x, 1 - x) for 6 x (1 - x)
    EXPECT_GT(mean_of(0.2), 0.85);
    EXPECT_GT(mean_of(0.01), 0.99);
}

// Records of trainings with these draws exist.
TEST(Augment, DrawsStayWhatTheyWere) {
    const AugmentationDraw drawn = draw({true, 4, 8}, {32, 32}, {32, 32}, RandomStream{2, 1, 0, 7});
    EXPECT_EQ(drawn.flip, false);
    EXPECT_EQ(drawn.shift_y, 3);
    EXPECT_EQ(drawn.shift_x, 0);
    EXPECT_EQ(drawn.cutout_y, 5);
    EXPECT_EQ(drawn.cutout_x, 17);
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
