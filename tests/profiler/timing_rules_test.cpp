// Rules of timing cut to the time that there is.
#include "profiler/timing/rounds.hpp"

#include <gtest/gtest.h>

namespace hacscale {
namespace {

TEST(TimingRules, EnoughTimeChangesNothing) {
    const TimingRules rules = within({.max_seconds = 2.0, .patience = 6.0}, 48.0, 4);
    EXPECT_EQ(rules.max_seconds, 2.0);
    EXPECT_EQ(rules.patience, 6.0);
}

TEST(TimingRules, ThePatienceWithASlowMachineGoesFirst) {
    const TimingRules rules = within({.max_seconds = 2.0, .patience = 6.0}, 24.0, 4);
    EXPECT_EQ(rules.max_seconds, 2.0);
    EXPECT_DOUBLE_EQ(rules.patience, 3.0);
}

TEST(TimingRules, ThenTheTimeOfEach) {
    for (const double seconds : {4.0, 0.4, 0.0}) {
        const TimingRules rules = within({.max_seconds = 2.0, .patience = 6.0}, seconds, 4);
        EXPECT_DOUBLE_EQ(rules.max_seconds, seconds / 4.0);
        EXPECT_EQ(rules.patience, 1.0);
    }
    EXPECT_EQ(within({}, -1.0, 4).max_seconds, 0.0);
}

}  // namespace
}  // namespace hacscale
