#include "training/jpeg.hpp"

#include <gmock/gmock.h>

#include "training_support.hpp"
#ifdef HACSCALE_JPEG
#include "jpeg_support.hpp"
#endif

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string jpeg_reason(const std::string& bytes) {
    return error_of<InputError>([&] {
        std::vector<std::uint8_t> out;
        decode_jpeg(bytes_of(bytes), "a/b.JPEG", out);
    });
}

#ifdef HACSCALE_JPEG

using hacscale::testing::plain_jpeg;
using hacscale::testing::shaded_jpeg;

// The color of an image that has one everywhere.
std::array<int, 3> color_of(const std::string& bytes) {
    std::vector<std::uint8_t> out;
    const ImageSize size = decode_jpeg(bytes_of(bytes), "a.JPEG", out);
    const std::size_t plane = static_cast<std::size_t>(size.height) * size.width;
    EXPECT_EQ(out.size(), 3 * plane);
    return {out[plane / 2], out[plane + plane / 2], out[2 * plane + plane / 2]};
}

TEST(Jpeg, DecodesIntoThreePlanes) {
    const std::string bytes = shaded_jpeg(30, 50, 3);
    EXPECT_EQ(jpeg_size(bytes_of(bytes), "a.JPEG"), (ImageSize{30, 50}));
    std::vector<std::uint8_t> out;
    ASSERT_EQ(decode_jpeg(bytes_of(bytes), "a.JPEG", out), (ImageSize{30, 50}));
    ASSERT_EQ(out.size(), 3U * 30U * 50U);
    for (std::size_t y = 0; y < 30; ++y) {
        for (std::size_t x = 0; x < 50; ++x) {
            EXPECT_NEAR(out[y * 50 + x], static_cast<double>(y * 200 / 30 + 21), 12);
            EXPECT_NEAR(out[1500 + y * 50 + x], static_cast<double>(x * 200 / 50 + 39), 12);
            EXPECT_NEAR(out[3000 + y * 50 + x], 93, 12);
        }
    }
}

TEST(Jpeg, GreyAndFourInksBecomeRedGreenAndBlue) {
    const auto grey = color_of(plain_jpeg(8, 8, {100}));
    EXPECT_EQ(grey, (std::array{100, 100, 100}));
    // libjpeg marks such files as Adobe's, whose inks are stored inverted: what is stored is the light that stays.
    const auto inks = color_of(plain_jpeg(8, 8, {200, 100, 255, 128}));
    EXPECT_NEAR(inks[0], 200 * 128 / 255, 3);
    EXPECT_NEAR(inks[1], 100 * 128 / 255, 3);
    EXPECT_NEAR(inks[2], 128, 3);
}

TEST(Jpeg, EveryImageThatEndsTooEarlyIsRefused) {
    const std::string whole = shaded_jpeg(40, 40, 5);
    for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
        EXPECT_THAT(jpeg_reason(whole.substr(0, size)), HasSubstr("a/b.JPEG: ")) << size;
    }
    EXPECT_THAT(jpeg_reason(whole.substr(0, whole.size() / 2)),
                AllOf(HasSubstr("damaged or cut short"), HasSubstr("replace it by a whole copy")));
    EXPECT_THAT(jpeg_reason(""), HasSubstr("the file is empty"));
}

TEST(Jpeg, WhatIsNoJpegImageIsRefused) {
    EXPECT_THAT(jpeg_reason("\x89PNG\r\n\x1a\n rest"),
                AllOf(HasSubstr("a/b.JPEG: expected a JPEG image"), HasSubstr("convert it")));
    EXPECT_THAT(jpeg_reason(std::string("\xFF\xD8") + std::string(100, 'x')), HasSubstr("a/b.JPEG: "));
    // The header may say any size: one byte of it each makes the image 65,280 pixels larger.
    std::string huge = shaded_jpeg(40, 40, 5);
    const std::size_t frame = huge.find("\xFF\xC0");
    ASSERT_NE(frame, std::string::npos);
    huge[frame + 5] = huge[frame + 7] = '\xFF';
    EXPECT_THAT(jpeg_reason(huge), HasSubstr("expected at most 100000000 pixels"));
}

#else

TEST(Jpeg, WithoutLibjpegItIsSaidWhatToInstall) {
    std::vector<std::uint8_t> out;
    EXPECT_THAT(error_of<MissingError>([&] { decode_jpeg({}, "a/b.JPEG", out); }),
                AllOf(HasSubstr("a/b.JPEG"), HasSubstr("libjpeg-dev")));
}

#endif

}  // namespace
}  // namespace hacscale
