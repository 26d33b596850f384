// Chart data packed for the page.
#include "report/formats/packed_text.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/report/unpacked.hpp"

namespace hacscale::report {
namespace {

TEST(PackedText, ComesBackAsItWas) {
    std::mt19937 random(3);
    for (std::size_t length = 0; length < 300; ++length) {
        std::string text;
        while (text.size() < length) text += static_cast<char>(random() % 256);
        EXPECT_EQ(unpacked(packed_text(text)), text);
    }
}

TEST(PackedText, CanStandInAPageAndIsSmall) {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "[\"</script><!-- layer " + std::to_string(i) + "\",1.5],";
    const std::string packed = packed_text(text);
    EXPECT_EQ(packed.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
              std::string::npos);
    EXPECT_EQ(packed.size() % 4, 0U);
    EXPECT_LT(packed.size(), text.size() / 5);
    EXPECT_EQ(packed, packed_text(text));
}

}  // namespace
}  // namespace hacscale::report
