// What counts as clocks that were held down while something was measured.
#include "profiler/timing/machine_state.hpp"

#include <gtest/gtest.h>

#include "models/stages/lowering.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/fake_instruments.hpp"

namespace hacscale {
namespace {

using namespace testing;

// A second, in which each cause held the clocks down for so long.
class Throttling : public ::testing::Test {
protected:
    Throttling() {
        instruments.tell = [this](int call) {
            DeviceState state;
            state.at_us = 1e6 * call;
            state.held_down = {{"power cap", true, 5e6 + (call == 0 ? 0.0 : capped_us)},
                               {"thermal slowdown", false, 7e6 + (call == 0 ? 0.0 : hot_us)}};
            state.power_capped = capped_now;
            state.throttle_reasons = capped_now ? "power cap" : "";
            return state;
        };
        instruments.clock_mhz = [this] { return std::optional(clock_mhz); };
    }
    void measure(const std::vector<double>& clocks_mhz) {
        guard.begin();
        double now_us = 0.0;
        for (const double mhz : clocks_mhz) {
            clock_mhz = mhz;
            guard.look(now_us += 50e3);
        }
        guard.end();
    }

    FakeInstruments instruments;
    ThrottleGuard guard{&instruments};
    double capped_us = 0.0;
    double hot_us = 0.0;
    bool capped_now = false;
    double clock_mhz = 0.0;
};

TEST_F(Throttling, IsNoneWhereNothingHeldTheClocksDown) {
    measure({1980.0, 1980.0, 1980.0});
    EXPECT_FALSE(guard.throttled());
    EXPECT_EQ(guard.reason(), "");
    EXPECT_EQ(guard.state().throttle_reasons, "");
}

// Neither end shows it.
TEST_F(Throttling, IsSeenThatCameAndWent) {
    hot_us = 200e3;
    measure({1980.0, 1980.0, 1980.0});
    EXPECT_TRUE(guard.throttled());
    EXPECT_NE(guard.reason().find("thermal slowdown"), std::string::npos) << guard.reason();
    EXPECT_EQ(guard.state().throttle_reasons, "thermal slowdown");
    EXPECT_TRUE(guard.state().throttled);
}

TEST_F(Throttling, IsNoneThatMovesNoMedian) {
    hot_us = 5e3;
    measure({1980.0, 1980.0, 1980.0});
    EXPECT_FALSE(guard.throttled());
}

TEST_F(Throttling, IsNoneUnderASteadyPowerCap) {
    capped_us = 900e3;
    capped_now = true;
    measure({1500.0, 1515.0, 1500.0, 1510.0});
    EXPECT_FALSE(guard.throttled());
    EXPECT_EQ(guard.reason(), "");
    EXPECT_EQ(guard.state().throttle_reasons, "power cap") << "the row still tells of it";
    EXPECT_FALSE(guard.state().throttled);
}

TEST_F(Throttling, IsSeenUnderAPowerCapThatVaries) {
    capped_us = 300e3;
    measure({1980.0, 1980.0, 1500.0, 1500.0});
    EXPECT_TRUE(guard.throttled());
    EXPECT_NE(guard.reason().find("power cap; its clock was 1500 to 1980 MHz"), std::string::npos)
        << guard.reason();
}

TEST_F(Throttling, IsAssumedUnderAPowerCapWhereTheClockIsNotSeen) {
    capped_us = 300e3;
    measure({});
    EXPECT_TRUE(guard.throttled());
}

TEST_F(Throttling, OfEachAttemptStandsAlone) {
    hot_us = 200e3;
    measure({1980.0, 1500.0});
    EXPECT_TRUE(guard.throttled());
    instruments.tell = [](int) { return DeviceState{}; };
    measure({1980.0, 1980.0});
    EXPECT_FALSE(guard.throttled());
    EXPECT_EQ(guard.state().throttle_reasons, "");
}

TEST_F(Throttling, IsLookedForNotMoreOftenThanNeeded) {
    int looks = 0;
    instruments.clock_mhz = [&looks] {
        ++looks;
        return std::optional(1980.0);
    };
    guard.begin();
    for (int visit = 0; visit < 100; ++visit) guard.look(1e3 * visit);
    guard.end();
    EXPECT_EQ(looks, 5);
    ThrottleGuard without(nullptr);
    without.begin();
    without.look(0.0);
    without.end();
    EXPECT_FALSE(without.throttled());
}

TEST(SpinUp, KeepsTheDeviceBusyForSoLong) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 500.0; };
    const Graph network = lower(chain_model("chain", {8}));
    const Compiled compiled = device.backend.compile("fake", network, {1, DataType::f32, 0});
    spin_up(*compiled.runner, 0.05, [] { return true; });
    EXPECT_GE(device.machine.clock_us, 50e3);
    EXPECT_LT(device.machine.clock_us, 60e3);
    const int runs = device.machine.runs;
    spin_up(*compiled.runner, 0.05, [] { return false; });
    spin_up(*compiled.runner, 0.0, [] { return true; });
    EXPECT_EQ(device.machine.runs, runs);
}

}  // namespace
}  // namespace hacscale
