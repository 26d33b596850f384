// The machine's pace, read by a reference network.
#include <gtest/gtest.h>

#include "profiler/timing/machine_state.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(Pace, SeesThatTheMachineBecameSlowerAndFaster) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    PaceHistory history;
    Pace pace(device.handle, DataType::f32, history);
    const double first_us = pace.now();
    EXPECT_EQ(pace.fastest(), first_us);
    device.machine.slowdown = 1.5;
    EXPECT_NEAR(pace.now(), 1.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(pace.fastest(), first_us);
    device.machine.slowdown = 0.5;
    EXPECT_NEAR(pace.now(), 0.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(pace.fastest(), pace.last());
}

// Of a thousand readings, one came out at half the time.
TEST(Pace, IsNotSetByOneLuckyReading) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    PaceHistory history;
    Pace pace(device.handle, DataType::f32, history);
    const double usual_us = pace.now();
    device.machine.slowdown = 0.5;
    pace.now();
    device.machine.slowdown = 1.0;
    for (int reading = 0; reading < 1000; ++reading) pace.now();
    EXPECT_NEAR(pace.fastest(), usual_us, 1e-6 * usual_us);
    history.add_measured(0.9 * usual_us);
    EXPECT_NEAR(pace.fastest(), 0.9 * usual_us, 1e-6 * usual_us) << "a measurement is of many readings";
    history.expect(0.8 * usual_us);
    EXPECT_NEAR(pace.fastest(), 0.8 * usual_us, 1e-6 * usual_us);
}

TEST(Pace, KnowsTheFastestOfThoseBefore) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    PaceHistory history;
    const double first_us = Pace(device.handle, DataType::f32, history).now();
    device.machine.slowdown = 1.5;
    Pace later(device.handle, DataType::f32, history);
    EXPECT_NEAR(later.now(), 1.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(later.fastest(), first_us);
}

TEST(Pace, SaysWhyTheReferenceNetworkCannotRun) {
    FakeDevice device;
    PaceHistory history;
    expect_error<WorkError>([&] { Pace(device.handle, DataType::f16, history); },
                            {"the reference network cannot run on fake", "no f16"});
}

}  // namespace
}  // namespace hacscale
