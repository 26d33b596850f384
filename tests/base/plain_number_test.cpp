#include "base/text/plain_number.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hacscale {
namespace {

TEST(PlainNumber, HasNoExponentAndNoFalseZeros) {
    EXPECT_EQ(plain_number(130.4, 2), "130");
    EXPECT_EQ(plain_number(1031.26), "1031");
    EXPECT_EQ(plain_number(12345678.0), "12345678");
    EXPECT_EQ(plain_number(2.5), "2.5");
    EXPECT_EQ(plain_number(10.0), "10");
    EXPECT_EQ(plain_number(100.0), "100");
    EXPECT_EQ(plain_number(0.1), "0.1");
    EXPECT_EQ(plain_number(0.0000123456), "0.0000123");
    EXPECT_EQ(plain_number(-3.14159), "-3.14");
    EXPECT_EQ(plain_number(0.0), "0");
}

TEST(PlainNumber, SaysWhatIsNoNumber) {
    EXPECT_EQ(plain_number(std::nan("")), "nan");
    EXPECT_EQ(plain_number(INFINITY), "inf");
}

}  // namespace
}  // namespace hacscale
