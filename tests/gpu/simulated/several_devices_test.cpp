// A node with several GPUs, one of which another process has for itself, and one that is forbidden.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale {
namespace {

using simulated::Device;
using ::testing::Contains;
using ::testing::HasSubstr;

TEST(SimulatedDevices, AreLookedAtWithoutAContext) {
    // cuda_devices() is read once a process: other tests may have compiled on the first before.
    const auto contexts_before = Device::instance().contexts;
    const auto backend = testing::new_backend();
    const std::vector<BackendDevice> devices = backend->devices();
    EXPECT_EQ(Device::instance().contexts, contexts_before);
    ASSERT_EQ(devices.size(), 3U);
    EXPECT_EQ(devices[1].id, "cuda:1");
    EXPECT_EQ(devices[1].fingerprint, devices[0].fingerprint) << "equal GPUs have comparable timings";
    EXPECT_THAT(devices[0].properties, HasSubstr("00000000:3b:00.0"));
    EXPECT_THAT(devices[1].properties, HasSubstr("00000000:3c:00.0"));
}

TEST(SimulatedDevices, SayWhyTheyCannotBeUsed) {
    const std::vector<BackendDevice> devices = testing::new_backend()->devices();
    ASSERT_EQ(devices.size(), 3U);
    EXPECT_THAT(devices[0].warnings, Not(Contains(HasSubstr("process"))));
    EXPECT_THAT(devices[1].warnings, Contains(HasSubstr("(pid 4711), which one process at a time may use")));
    EXPECT_THAT(devices[2].warnings, Contains(HasSubstr("the compute mode forbids all work on this GPU")));
}

// It is no fault of a network, so there is no row to write: the command ends.
TEST(SimulatedDevices, AreMissingWhereTheyCannotBeUsedAndLeaveTheOthersUsable) {
    const auto backend = testing::new_backend();
    const Graph network = testing::three_layers(80);
    for (const char* device : {"cuda:1", "cuda:2"}) {
        try {
            backend->compile(device, network, {1, DataType::f32});
            FAIL() << device;
        } catch (const MissingError& error) {
            EXPECT_THAT(error.what(), HasSubstr(std::string(device) + " cannot be used now"));
        }
        EXPECT_THROW(backend->copy_bandwidth(device), MissingError);
    }
    const Compiled compiled = backend->compile("cuda:0", network, {1, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    testing::expect_right(*compiled.runner, network, 1, DataType::f32);
    EXPECT_EQ(Device::instance().contexts, std::set<int>{0});
}

}  // namespace
}  // namespace hacscale
