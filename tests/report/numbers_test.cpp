#include "report/text/numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <regex>

namespace hacscale::report {
namespace {

// The no-break space as a plain one, so that expectations can be read.
std::string with_spaces(const std::string& text) {
    static const std::regex no_break_space("\u00a0");
    return std::regex_replace(text, no_break_space, " ");
}

TEST(Numbers, SignificantFigures) {
    EXPECT_EQ(significant(0), "0");
    EXPECT_EQ(significant(1), "1.00");
    EXPECT_EQ(significant(0.012345), "0.0123");
    EXPECT_EQ(significant(12.345), "12.3");
    EXPECT_EQ(significant(999.4), "999");
    EXPECT_EQ(significant(999.6), "1,000");
    EXPECT_EQ(significant(1234.5), "1,230");
    EXPECT_EQ(significant(-0.5), "−0.500");
    EXPECT_EQ(significant(5e-324), "0.000000000000");
    EXPECT_EQ(significant(HUGE_VAL), "inf");
}

TEST(Numbers, UnitsAndSeparators) {
    EXPECT_EQ(whole(1234567), "1,234,567");
    EXPECT_EQ(whole(999), "999");
    EXPECT_EQ(whole(-1000), "−1,000");
    EXPECT_EQ(with_spaces(scaled(1.234e6)), "1.23 M");
    EXPECT_EQ(with_spaces(scaled(1.32e11, "FLOP/s")), "132 GFLOP/s");
    EXPECT_EQ(with_spaces(scaled(12)), "12.0");
    EXPECT_EQ(with_spaces(scaled(999999)), "1.00 M");
}

TEST(Numbers, LatenciesChooseTheirUnit) {
    EXPECT_EQ(with_spaces(latency(812.4)), "812 µs");
    EXPECT_EQ(with_spaces(latency(999.6)), "1.00 ms");
    EXPECT_EQ(with_spaces(latency(4321)), "4.32 ms");
    EXPECT_EQ(with_spaces(latency(1.2e6)), "1.20 s");
    EXPECT_EQ(with_spaces(latency(4321, 32.0)), "4.32 ± 0.03 ms");
    EXPECT_EQ(with_spaces(latency(11700, 93.0)), "11.7 ± 0.09 ms");
    EXPECT_EQ(with_spaces(latency(4321, std::nullopt)), "4.32 ms");
    EXPECT_EQ(with_spaces(latency(4321, 0.0)), "4.32 ± 0.00 ms");
}

TEST(Numbers, RatiosAndPercents) {
    EXPECT_EQ(ratio(1.9234), "×1.92");
    EXPECT_EQ(ratio(0.9964), "×0.996");
    EXPECT_EQ(ratio(12.34), "×12.34");
    EXPECT_EQ(with_spaces(percent(0.3124)), "31.2 %");
    EXPECT_EQ(with_spaces(short_percent(0.065)), "6.5 %");
    EXPECT_EQ(with_spaces(short_percent(130.0)), "13,000 %");
    EXPECT_EQ(with_spaces(short_percent(0.1)), "10 %");
    EXPECT_EQ(with_spaces(percent_whole(1.3)), "130 %");
    EXPECT_EQ(with_spaces(signed_percent(0.0065)), "+0.65 %");
    EXPECT_EQ(with_spaces(signed_percent(-0.021)), "−2.1 %");
    EXPECT_EQ(with_spaces(signed_percent(0.0)), "±0.00 %");
    EXPECT_EQ(with_spaces(signed_percent(-0.13)), "−13 %");
    EXPECT_EQ(with_spaces(percent_change(0.0018, 0.000591)), "+0.18 % ± 0.06 %");
    EXPECT_EQ(with_spaces(percent_change(-0.058, 0.000719)), "−5.8 % ± 0.07 %");
    EXPECT_EQ(with_spaces(percent_change(0.0, 0.0)), "±0.00 %");
    EXPECT_EQ(with_spaces(percent_change(0.13, std::nullopt)), "+13 %");
    EXPECT_EQ(points(0.0194), "1.94");
    EXPECT_EQ(points(0.00017), "0.017");
    EXPECT_EQ(with_sign(-0.000001, points), "±0.000");
    EXPECT_EQ(with_sign(0.02, [](double value) { return significant(value); }), "+0.0200");
    EXPECT_EQ(with_sign(-1234.0, [](double value) { return whole(value); }), "−1,234");
    EXPECT_EQ(with_sign(0.0, [](double value) { return whole(value); }), "±0");
    EXPECT_EQ(with_sign(-0.2, [](double value) { return whole(value); }), "±0") << "no minus before a zero";
    EXPECT_EQ(join({16, 32, 64}, " / "), "16 / 32 / 64");
}

// What is read back differs by less than half a unit of the third figure; the plain text by nothing.
TEST(Numbers, RoundingIsFaithful) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> exponent(-6.0, 9.0);
    for (int i = 0; i < 2000; ++i) {
        const double value = std::pow(10.0, exponent(random));
        std::string text = significant(value);
        std::erase(text, ',');
        EXPECT_NEAR(std::stod(text) / value, 1.0, 0.00501) << value << " " << text;
        EXPECT_EQ(std::stod(plain(value)), value);
    }
}

}  // namespace
}  // namespace hacscale::report
