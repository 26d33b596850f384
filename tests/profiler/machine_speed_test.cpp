// The machine's speed, read by a reference network.
#include <gtest/gtest.h>

#include "profiler/timing/machine_state.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(MachineSpeed, SeesThatTheMachineBecameSlowerAndFaster) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    SpeedHistory history;
    MachineSpeed machine_speed(device.handle, DataType::f32, history);
    const double first_us = machine_speed.now();
    EXPECT_EQ(machine_speed.fastest(), first_us);
    device.machine.slowdown = 1.5;
    EXPECT_NEAR(machine_speed.now(), 1.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(machine_speed.fastest(), first_us);
    device.machine.slowdown = 0.5;
    EXPECT_NEAR(machine_speed.now(), 0.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(machine_speed.fastest(), machine_speed.last());
}

// Of a thousand readings, one came out at half the time.
TEST(MachineSpeed, IsNotSetByOneLuckyReading) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    SpeedHistory history;
    MachineSpeed machine_speed(device.handle, DataType::f32, history);
    const double usual_us = machine_speed.now();
    device.machine.slowdown = 0.5;
    machine_speed.now();
    device.machine.slowdown = 1.0;
    for (int reading = 0; reading < 1000; ++reading) machine_speed.now();
    EXPECT_NEAR(machine_speed.fastest(), usual_us, 1e-6 * usual_us);
    history.add_measured(0.9 * usual_us);
    EXPECT_NEAR(machine_speed.fastest(), 0.9 * usual_us, 1e-6 * usual_us)
        << "a measurement is of many readings";
    history.expect(0.8 * usual_us);
    EXPECT_NEAR(machine_speed.fastest(), 0.8 * usual_us, 1e-6 * usual_us);
}

// It is not luck when most readings in a row say so, however many slow ones follow.
TEST(MachineSpeed, IsNotForgottenWhenTheMachineStaysSlow) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    SpeedHistory history;
    MachineSpeed machine_speed(device.handle, DataType::f32, history);
    machine_speed.now_in_row();
    const double fast_us = machine_speed.last();
    device.machine.slowdown = 1.2;
    for (int reading = 0; reading < 1000; ++reading) machine_speed.now();
    EXPECT_NEAR(machine_speed.fastest(), fast_us, 1e-6 * fast_us);
}

TEST(MachineSpeed, KnowsTheFastestOfThoseBefore) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 50.0; };
    SpeedHistory history;
    const double first_us = MachineSpeed(device.handle, DataType::f32, history).now();
    device.machine.slowdown = 1.5;
    MachineSpeed later(device.handle, DataType::f32, history);
    EXPECT_NEAR(later.now(), 1.5 * first_us, 1e-6 * first_us);
    EXPECT_EQ(later.fastest(), first_us);
}

TEST(MachineSpeed, SaysWhyTheReferenceNetworkCannotRun) {
    FakeDevice device;
    SpeedHistory history;
    expect_error<WorkError>([&] { MachineSpeed(device.handle, DataType::f16, history); },
                            {"the reference network cannot run on fake", "no f16"});
}

}  // namespace
}  // namespace hacscale
