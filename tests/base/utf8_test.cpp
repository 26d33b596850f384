#include "base/text/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace hacscale {
namespace {

// The bytes of a code point.
std::string encoded(unsigned code) {
    const auto byte = [](unsigned value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
    if (code < 0x10000) {
        return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
    }
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
            byte(0x80 | (code & 0x3F))};
}

TEST(Utf8, EveryCodePointButSurrogatesIsText) {
    for (unsigned code = 0; code <= 0x10FFFF; ++code) {
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        ASSERT_EQ(is_utf8(encoded(code)), !surrogate) << code;
    }
    EXPECT_FALSE(is_utf8(encoded(0x110000)));
}

TEST(Utf8, CutAndOverlongFormsAreNone) {
    EXPECT_TRUE(is_utf8(""));
    EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
    EXPECT_TRUE(has_zero_byte(std::string_view("a\0b", 3)));
    EXPECT_FALSE(has_zero_byte("ab"));
    EXPECT_TRUE(is_utf8("stage1.conv \xC3\xA9 \xE2\x82\xAC"));
    for (const char* text :
         {"\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80",
          "\xF0\x80\x80\x80", "\xFF", "a\xFE", "\xC3(", "\xF5\x80\x80\x80"}) {
        EXPECT_FALSE(is_utf8(text));
    }
}

TEST(Utf8, TextsPutTogetherAreText) {
    std::mt19937 generator(3);
    for (int round = 0; round < 1000; ++round) {
        std::string text;
        for (int i = 0; i < 20; ++i) text += encoded(static_cast<unsigned>(generator() % 0xD800));
        EXPECT_TRUE(is_utf8(text));
        EXPECT_EQ(as_utf8(text), text);
        text.insert(text.size() / 2, 1, static_cast<char>(0xFF));
        EXPECT_FALSE(is_utf8(text));
        EXPECT_TRUE(is_utf8(as_utf8(text)));
    }
    EXPECT_EQ(as_utf8("a\xFFz\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
}

TEST(Printable, EscapesWhatATerminalObeys) {
    EXPECT_EQ(printable("a\tb\nc"), "a\tb\nc");
    EXPECT_EQ(printable(std::string_view("\033[31m\r\0\x7F", 8)), "\\x1b[31m\\x0d\\x00\\x7f");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m"),
              "\\x9b31m")
        << "C1's way to begin a sequence";
    EXPECT_EQ(printable("\xC2\xA0 \xC3\xA9 \xE2\x82\xAC"), "\xC2\xA0 \xC3\xA9 \xE2\x82\xAC");
    EXPECT_EQ(printable("\xC2"), "\xC2");
}

}  // namespace
}  // namespace hacscale
