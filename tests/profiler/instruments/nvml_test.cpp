#include <gtest/gtest.h>

#include "profiler/instruments/nvml/nvml_device.hpp"
#include "tests/profiler/instruments/fake_libraries.hpp"

namespace hacscale::nvml {
namespace {

class Nvml : public ::testing::Test {
protected:
    Nvml() { environment.set("HACSCALE_CUDA_LIBS", tests::fake_library("nvml")); }
    tests::Environment environment;
    const std::string bus_id = "0000:3B:00.0";
    const std::string uuid = "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f";
};

TEST_F(Nvml, TellsTheDevicesState) {
    environment.set("FAKE_NVML_EVENTS", "1");
    const NvmlLibrary library = open_nvml();
    ASSERT_TRUE(library.usable()) << library.reason;
    const NvmlDevice device(library, bus_id, uuid);
    const DeviceState state = device.state();
    EXPECT_EQ(device.sm_clock_mhz(), 1755.0);
    EXPECT_EQ(device.energy().mj, 1234567890123.0);
    EXPECT_EQ(state.sm_clock_mhz, 1755.0);
    EXPECT_EQ(state.memory_clock_mhz, 2619.0);
    EXPECT_EQ(state.temperature_c, 61.0);
    EXPECT_EQ(state.power_w, 312.5);
    EXPECT_FALSE(state.throttled);
    EXPECT_EQ(state.throttle_reasons, "idle");
    EXPECT_TRUE(state.reasons.empty());
}

TEST_F(Nvml, FindsTheDeviceByUuidWhereTheBusAddressIsNotKnown) {
    const NvmlLibrary library = open_nvml();
    EXPECT_EQ(NvmlDevice(library, "0000:99:00.0", uuid).state().temperature_c, 61.0);
}

TEST_F(Nvml, SaysThatADeviceIsNotThere) {
    const NvmlLibrary library = open_nvml();
    const DeviceState state = NvmlDevice(library, "0000:99:00.0", "GPU-other").state();
    EXPECT_FALSE(state.sm_clock_mhz);
    EXPECT_EQ(state.reasons.size(), 5U);
    EXPECT_NE(state.reasons.at("power_w").find("0000:99:00.0"), std::string::npos);
    EXPECT_NE(state.reasons.at("power_w").find("Not Found"), std::string::npos);
}

TEST_F(Nvml, SaysWhichValueTheDeviceDoesNotGive) {
    environment.set("FAKE_NVML", "no_energy");
    const NvmlLibrary library = open_nvml();
    const EnergyCounter counter = NvmlDevice(library, bus_id, uuid).energy();
    EXPECT_FALSE(counter.mj);
    EXPECT_NE(counter.reason.find("Not Supported"), std::string::npos);
}

TEST_F(Nvml, GivesNoPowerOfAPartOfAGpu) {
    environment.set("FAKE_NVML", "mig");
    const NvmlLibrary library = open_nvml();
    const NvmlDevice device(library, bus_id, uuid);
    const DeviceState state = device.state();
    EXPECT_TRUE(state.sm_clock_mhz);
    EXPECT_FALSE(state.power_w);
    EXPECT_NE(state.reasons.at("power_w").find("MIG"), std::string::npos);
    EXPECT_FALSE(device.energy().mj);
    EXPECT_NE(device.energy().reason.find("MIG"), std::string::npos);
}

TEST_F(Nvml, SaysThatTheDriverDoesNotRun) {
    environment.set("FAKE_NVML", "no_driver");
    const NvmlLibrary library = open_nvml();
    EXPECT_FALSE(library.usable());
    EXPECT_NE(library.reason.find("Driver Not Loaded"), std::string::npos) << library.reason;
    EXPECT_EQ(NvmlDevice(library, bus_id, uuid).state().reasons.at("temperature_c"), library.reason);
}

TEST_F(Nvml, SumsTheTimesOfWhatHoldsClocksDown) {
    const NvmlLibrary library = open_nvml();
    const DeviceState state = NvmlDevice(library, bus_id, uuid).state();
    ASSERT_EQ(state.held_down.size(), 2U) << "the causes that the device counts";
    EXPECT_EQ(state.held_down[0].cause, "power cap");
    EXPECT_TRUE(state.held_down[0].power_cap);
    EXPECT_EQ(state.held_down[0].us, 2000.0);
    EXPECT_EQ(state.held_down[1].cause, "thermal slowdown");
    EXPECT_FALSE(state.held_down[1].power_cap);
    EXPECT_EQ(state.held_down[1].us, 3000.0);
    EXPECT_GT(state.at_us, 0.0);
}

TEST_F(Nvml, TellsPowerCapsFromWhatThrottles) {
    for (const ClockEvent& event : clock_events()) {
        EXPECT_TRUE(has_effect(event.bit, event.effect)) << event.text;
        EXPECT_EQ(clock_events_in_words(event.bit), event.text);
    }
    EXPECT_FALSE(has_effect(0, ClockEffect::throttles));
    EXPECT_FALSE(has_effect(0x1 | 0x2 | 0x4 | 0x10 | 0x100, ClockEffect::throttles));
    EXPECT_TRUE(has_effect(0x1 | 0x4, ClockEffect::power_cap));
    EXPECT_EQ(clock_events_in_words(0), "");
    EXPECT_EQ(clock_events_in_words(0x1 | 0x4 | 0x1000), "idle, power cap, NVML's reason 0x1000");

    environment.set("FAKE_NVML_EVENTS", "60");
    const NvmlLibrary library = open_nvml();
    const DeviceState state = NvmlDevice(library, bus_id, uuid).state();
    EXPECT_TRUE(state.throttled);
    EXPECT_FALSE(state.power_capped);
    EXPECT_EQ(state.throttle_reasons, "thermal slowdown by the driver, thermal slowdown by the hardware");
    environment.set("FAKE_NVML_EVENTS", "4");
    EXPECT_TRUE(NvmlDevice(library, bus_id, uuid).state().power_capped);
    EXPECT_FALSE(NvmlDevice(library, bus_id, uuid).state().throttled);
}

TEST(MissingNvml, IsTold) {
    const NvmlLibrary library = open_nvml();
    if (library.usable()) GTEST_SKIP() << "this machine has NVML";
    EXPECT_NE(library.reason.find("libnvidia-ml.so.1"), std::string::npos) << library.reason;
    EXPECT_NE(library.reason.find("driver"), std::string::npos) << library.reason;
}

}  // namespace
}  // namespace hacscale::nvml
