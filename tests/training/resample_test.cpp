#include "training/resample.hpp"

#include <gtest/gtest.h>

#include "training/random.hpp"

namespace hacscale {
namespace {

struct Sample {
    ImageSize size;
    std::vector<std::uint8_t> pixels;
    Picture picture() const { return {size, pixels.data()}; }
};

// Pixels of no pattern that a filter would keep.
Sample sample(int height, int width) {
    Sample made{{height, width}, {}};
    for (int c = 0; c < 3; ++c) {
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                made.pixels.push_back(static_cast<std::uint8_t>(y * 31 + x * 17 + c * 50 + y * x * 5));
            }
        }
    }
    return made;
}

std::vector<int> channel_of(const Sample& made, const View& view, int channel) {
    std::vector<std::uint8_t> between, out;
    const Picture result = resample(made.picture(), view, between, out);
    const auto plane = static_cast<std::ptrdiff_t>(result.size.height) * result.size.width;
    return {out.begin() + channel * plane, out.begin() + (channel + 1) * plane};
}

View whole(const Sample& made, ImageSize to) {
    return crop_view({0, 0, made.size.height, made.size.width}, to);
}

// The expected numbers are those of Pillow 9.4, Image.resize with BILINEAR.
TEST(Resample, IsPillowsBilinearResizing) {
    EXPECT_EQ(channel_of(sample(7, 9), whole(sample(7, 9), {3, 4}), 0),
              (std::vector{44, 88, 136, 159, 120, 160, 148, 119, 177, 111, 118, 136}));
    EXPECT_EQ(channel_of(sample(5, 8), whole(sample(5, 8), {5, 3}), 2),
              (std::vector{119, 160, 200, 155, 202, 86, 192, 129, 65, 148, 55, 126, 83, 98, 186}));
    EXPECT_EQ(channel_of(sample(4, 5), whole(sample(4, 5), {6, 7}), 0),
              (std::vector{0,  10, 22,  34,  46,  58,  68,  16, 27,  41,  55,  69,  82,  94,
                           36, 50, 65,  82,  98,  114, 128, 57, 71,  91,  109, 128, 147, 161,
                           78, 94, 116, 137, 158, 179, 196, 93, 111, 134, 157, 180, 203, 221}));
}

// torchvision 0.14: CenterCrop(6)(Resize(7)(image)) of 12 x 17 pixels.
TEST(Resample, TheEvaluationViewIsTorchvisions) {
    const Sample made = sample(12, 17);
    EXPECT_EQ(channel_of(made, evaluation_view(made.size, {6, 6}), 1),
              (std::vector{146, 177, 130, 141, 152, 83,  170, 106, 88,  128, 136, 144,
                           81,  133, 170, 136, 114, 128, 141, 130, 110, 142, 143, 122,
                           124, 89,  162, 108, 126, 129, 87,  175, 136, 135, 133, 121}));
    const auto window = [](int height, int width, int wanted) {
        const View view = evaluation_view({height, width}, {wanted, wanted});
        return std::vector{view.resized.height, view.resized.width, view.window.top, view.window.left};
    };
    EXPECT_EQ(window(375, 500, 224), (std::vector{256, 341, 16, 58}));
    EXPECT_EQ(window(500, 333, 224), (std::vector{384, 256, 80, 16}));
    EXPECT_EQ(window(128, 128, 96), (std::vector{110, 110, 7, 7}));
    EXPECT_EQ(window(33, 50, 24), (std::vector{27, 40, 2, 8}));
}

TEST(Resample, AnImageOfTheWantedSizeStaysAsItIs) {
    const Sample made = sample(9, 13);
    std::vector<std::uint8_t> between, out;
    resample(made.picture(), whole(made, made.size), between, out);
    EXPECT_EQ(out, made.pixels);
}

TEST(Resample, AWindowIsThatPartOfTheWholeAndARegionDoesNotSeeBeyondItsEdge) {
    RandomStream random{11};
    for (int i = 0; i < 200; ++i) {
        const Sample made = sample(2 + random.below(30), 2 + random.below(30));
        View view;
        view.region.height = 1 + random.below(made.size.height);
        view.region.width = 1 + random.below(made.size.width);
        view.region.top = random.below(made.size.height - view.region.height + 1);
        view.region.left = random.below(made.size.width - view.region.width + 1);
        view.resized = {1 + random.below(40), 1 + random.below(40)};
        view.window = {0, 0, view.resized.height, view.resized.width};
        const std::vector<int> all = channel_of(made, view, 1);

        // The region as a picture of its own.
        Sample cut{{view.region.height, view.region.width}, {}};
        for (int c = 0; c < 3; ++c) {
            for (int y = 0; y < cut.size.height; ++y) {
                for (int x = 0; x < cut.size.width; ++x) {
                    const int place =
                        (c * made.size.height + view.region.top + y) * made.size.width + view.region.left + x;
                    cut.pixels.push_back(made.pixels[static_cast<std::size_t>(place)]);
                }
            }
        }
        ASSERT_EQ(channel_of(cut, whole(cut, view.resized), 1), all) << i;

        View part = view;
        part.window.height = 1 + random.below(view.resized.height);
        part.window.width = 1 + random.below(view.resized.width);
        part.window.top = random.below(view.resized.height - part.window.height + 1);
        part.window.left = random.below(view.resized.width - part.window.width + 1);
        const std::vector<int> some = channel_of(made, part, 1);
        for (int y = 0; y < part.window.height; ++y) {
            for (int x = 0; x < part.window.width; ++x) {
                ASSERT_EQ(some[static_cast<std::size_t>(y * part.window.width + x)],
                          all[static_cast<std::size_t>((part.window.top + y) * view.resized.width +
                                                       part.window.left + x)])
                    << i;
            }
        }
    }
}

}  // namespace
}  // namespace hacscale
