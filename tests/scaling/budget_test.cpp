#include "scaling/budget.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::string& text) {
    try {
        parse_budget(text);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(Budget, IsARatioALatencyOrARate) {
    EXPECT_EQ(parse_budget("0.7"), Budget(0.7));
    EXPECT_EQ(parse_budget("8ms"), Budget(Budget::Unit::microseconds, 8000.0));
    EXPECT_EQ(parse_budget("800us"), Budget(Budget::Unit::microseconds, 800.0));
    EXPECT_EQ(parse_budget("120/s"), Budget(Budget::Unit::images_per_s, 120.0));
}

TEST(Budget, IsReadAsItIsWritten) {
    for (const char* text : {"0.7", "1.065", "16", "8ms", "800us", "1.5ms", "120/s"}) {
        EXPECT_EQ(parse_budget(text).text(), text);
        EXPECT_EQ(parse_budget(text).file_text().find('/'), std::string::npos);
    }
}

TEST(Budget, OfOtherTextsIsRefused) {
    for (const char* text :
         {"8 ms", "abc", "", "ms", "-8ms", "0ms", "nan", "inf", "1e999", "0.7x", "8m", "infms"}) {
        EXPECT_THAT(refusal_of(text), HasSubstr("8ms")) << text;
    }
    for (const char* text : {"0.05", "17", "-1", "0"}) {
        EXPECT_THAT(refusal_of(text), HasSubstr("expected 0.1 to 16 base latencies")) << text;
    }
}

TEST(Budget, IsConvertedWithTheBasesLatency) {
    EXPECT_DOUBLE_EQ(parse_budget("0.7").ratio(0.0, 1), 0.7);
    EXPECT_DOUBLE_EQ(parse_budget("8ms").ratio(10e3, 1), 0.8);
    // 4 images in a pass of 20 ms are 200 a second.
    EXPECT_DOUBLE_EQ(parse_budget("200/s").ratio(40e3, 4), 0.5);
    EXPECT_THROW(parse_budget("8ms").ratio(0.0, 1), InputError);
    EXPECT_THROW(parse_budget("8ms").ratio(1e6, 1), InputError);
    EXPECT_THROW(parse_budget("8ms").ratio(100.0, 1), InputError);
}

TEST(RatioRange, ReachesAnEighthAtATenthAndGrowsAboveTwo) {
    for (const double budget : {1.0, 1.065, 2.0}) {
        EXPECT_DOUBLE_EQ(ratio_range(budget).least, 0.5);
        EXPECT_DOUBLE_EQ(ratio_range(budget).largest, 2.0);
    }
    EXPECT_NEAR(ratio_range(0.1).least, 0.125, 0.001);
    EXPECT_DOUBLE_EQ(ratio_range(0.9).largest, 1.6);
    EXPECT_DOUBLE_EQ(ratio_range(0.7).largest, 1.0);
    EXPECT_DOUBLE_EQ(ratio_range(0.1).largest, 1.0);
    EXPECT_GT(ratio_range(16.0).largest, 5.0);
}

}  // namespace
}  // namespace hacscale
