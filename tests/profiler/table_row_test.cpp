#include "profiler/table/row.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.hpp"

namespace hacscale {
namespace {

TEST(FootprintBucket, HasAFloor) {
    for (const std::int64_t bytes :
         {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{65536}}) {
        EXPECT_EQ(footprint_bucket(bytes), 65536);
    }
}

TEST(FootprintBucket, IsTheNearestHalfOctaveAndStaysPut) {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponent(16.5, 61.0);
    for (int i = 0; i < 2000; ++i) {
        const double bytes = std::exp2(exponent(random));
        const std::int64_t bucket = footprint_bucket(static_cast<std::int64_t>(bytes));
        EXPECT_LE(std::abs(std::log2(static_cast<double>(bucket) / bytes)), 0.2501);
        EXPECT_EQ(footprint_bucket(bucket), bucket);
    }
    EXPECT_EQ(footprint_bucket(std::int64_t{1} << 20), std::int64_t{1} << 20);
    EXPECT_EQ(footprint_bucket(1'500'000), 1'482'910);  // 2^20.5
    EXPECT_GT(footprint_bucket(std::numeric_limits<std::int64_t>::max()), 0);
}

TEST(RowNames, ReadBack) {
    for (const CacheState cache : {CacheState::network, CacheState::warm, CacheState::cold}) {
        EXPECT_EQ(cache_state_from_name(name_of(cache)), cache);
    }
    for (const RowStatus status :
         {RowStatus::ok, RowStatus::noisy, RowStatus::failed, RowStatus::unsupported}) {
        EXPECT_EQ(row_status_from_name(name_of(status)), status);
    }
    EXPECT_THROW(cache_state_from_name("hot"), InputError);
    EXPECT_THROW(row_status_from_name(""), InputError);
}

}  // namespace
}  // namespace hacscale
