#include "training/recent_speed.hpp"

#include <gtest/gtest.h>

namespace hacscale::training {
namespace {

constexpr double images_per_epoch = 100.0;

// Spends an epoch at this many images per second of steps, and a second on its validation.
void spend_epoch(TrainingSpent& spent, RecentSpeed& speed, double images_per_s) {
    speed.begin_epoch(spent);
    spent.images += images_per_epoch;
    spent.step_seconds += images_per_epoch / images_per_s;
    spent.seconds += images_per_epoch / images_per_s + 1.0;
}

TEST(RecentSpeed, IsThatOfTheEpochAndTheOneBefore) {
    TrainingSpent spent;
    RecentSpeed speed;
    for (int epoch = 0; epoch < 5; ++epoch) spend_epoch(spent, speed, 1.0);
    EXPECT_DOUBLE_EQ(speed.images_per_s(spent), 1.0);
    EXPECT_DOUBLE_EQ(speed.seconds_left(200.0, spent), 202.0) << "with two validations";
    for (int epoch = 0; epoch < 2; ++epoch) spend_epoch(spent, speed, 100.0);
    EXPECT_DOUBLE_EQ(speed.images_per_s(spent), 100.0) << "however slow the first five were";
    EXPECT_DOUBLE_EQ(speed.seconds_left(200.0, spent), 4.0);
}

TEST(RecentSpeed, IsKnownWithinTheFirstEpochAndNoNumberBeforeIt) {
    RecentSpeed speed;
    speed.begin_epoch({});
    EXPECT_DOUBLE_EQ(speed.images_per_s({50.0, 10.0, 20.0}), 5.0);
    EXPECT_DOUBLE_EQ(speed.seconds_left(50.0, {50.0, 10.0, 20.0}), 20.0);
    EXPECT_GT(speed.seconds_left(50.0, {}), 1e6);
}

TEST(RecentSpeed, OneSlowEpochIsForgottenAfterTwo) {
    TrainingSpent spent;
    RecentSpeed speed;
    spend_epoch(spent, speed, 10.0);
    spend_epoch(spent, speed, 100.0);
    EXPECT_DOUBLE_EQ(speed.images_per_s(spent), 200.0 / 11.0);
    spend_epoch(spent, speed, 100.0);
    EXPECT_DOUBLE_EQ(speed.images_per_s(spent), 100.0);
}

}  // namespace
}  // namespace hacscale::training
