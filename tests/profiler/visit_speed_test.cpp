// Which visits count where the machine had several speeds.
#include "profiler/timing/visit_speed.hpp"

#include <gtest/gtest.h>

namespace hacscale {
namespace {

constexpr double fastest_us = 100.0;

TEST(CountedSpeed, IsTheFastestWhereEachNetworkHadEnoughVisits) {
    const CountedSpeed speed = counted_speed({{100, 130, 109, 108}, {101, 102, 109}}, fastest_us, 3);
    EXPECT_DOUBLE_EQ(speed.max_reading_us, 110.0);
    EXPECT_EQ(speed.slowdown, 1.0);
    EXPECT_FALSE(speed.slow());
}

TEST(CountedSpeed, IsTheFastestThatAllNetworksHad) {
    const CountedSpeed speed = counted_speed({{100, 101, 102}, {100, 130, 131, 190}}, fastest_us, 3);
    EXPECT_DOUBLE_EQ(speed.max_reading_us, 1.1 * 130.0);
    EXPECT_DOUBLE_EQ(speed.slowdown, 1.31);
    EXPECT_TRUE(speed.slow());
}

TEST(CountedSpeed, IsThatOfTheFewVisitsThatThereAre) {
    EXPECT_FALSE(counted_speed({{}, {}}, fastest_us, 3).slow());
    EXPECT_FALSE(counted_speed({{105}, {}}, fastest_us, 3).slow());
    const CountedSpeed speed = counted_speed({{105}, {120}}, fastest_us, 3);
    EXPECT_DOUBLE_EQ(speed.max_reading_us, 1.1 * 120.0);
    EXPECT_DOUBLE_EQ(speed.slowdown, 1.2);
}

}  // namespace
}  // namespace hacscale
