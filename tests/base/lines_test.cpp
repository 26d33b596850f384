#include "base/text/lines.hpp"

#include <gtest/gtest.h>

namespace hacscale {
namespace {

TEST(TextLines, BreakAtSpacesAndKeepLongWords) {
    EXPECT_EQ(wrapped("one two three", 2, 7), (std::vector<std::string>{"one two", "  three"}));
    EXPECT_EQ(wrapped("  one two three", 4, 9), (std::vector<std::string>{"  one two", "    three"}));
    EXPECT_EQ(wrapped("a/path/that/is/long b", 0, 5), (std::vector<std::string>{"a/path/that/is/long", "b"}));
    EXPECT_EQ(wrapped("", 0, 5), (std::vector<std::string>{""}));
    EXPECT_EQ(counted(1, "network"), "1 network");
    EXPECT_EQ(counted(3, "network"), "3 networks");
}

TEST(TextLines, SeparatesThousands) {
    EXPECT_EQ(with_separators(0), "0");
    EXPECT_EQ(with_separators(999), "999");
    EXPECT_EQ(with_separators(1000), "1,000");
    EXPECT_EQ(with_separators(1234567), "1,234,567");
    EXPECT_EQ(with_separators(-123456), "-123,456");
}

}  // namespace
}  // namespace hacscale
