// Why a network has no runner: only what is for good is `unsupported`.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "models/graph/graph.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale {
namespace {

using simulated::Device;
using ::testing::HasSubstr;

class SimulatedNoRunner : public ::testing::Test {
protected:
    void TearDown() override { Device::instance().mend(); }
    // In f32, which has no kernels of this project for dense convs: what cuDNN says decides.
    Compiled compile(int variant) {
        return testing::new_backend()->compile("cuda:0", testing::three_layers(variant), {4, DataType::f32});
    }
};

TEST_F(SimulatedNoRunner, IsUnsupportedForGood) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 16;
    layer.in_height = layer.in_width = 8;
    layer.layout = Layout::blocked;
    const Compiled blocked =
        testing::new_backend()->compile("cuda:0", single_layer(layer), {1, DataType::f32});
    EXPECT_FALSE(blocked.runner);
    EXPECT_EQ(blocked.why, NoRunner::unsupported);
    Device::instance().no_plans = "cuDNN has none: CUDNN_STATUS_NOT_SUPPORTED_LAYOUT";
    const Compiled refused = compile(70);
    EXPECT_FALSE(refused.runner);
    EXPECT_EQ(refused.why, NoRunner::unsupported);
    EXPECT_THAT(refused.reason, HasSubstr("NOT_SUPPORTED"));
}

TEST_F(SimulatedNoRunner, MayBeForWantOfMemory) {
    Device::instance().capacity_bytes = Device::instance().bytes() + (std::size_t{1} << 20);
    EXPECT_EQ(compile(71).why, NoRunner::no_memory);
}

TEST_F(SimulatedNoRunner, MayBeAFailureOfCudnnThatPasses) {
    for (const char* status : {"CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
                               "CUDNN_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_INTERNAL_ERROR"}) {
        Device::instance().no_plans = std::string("cuDNN has none: ") + status;
        const Compiled failed = compile(72);
        EXPECT_FALSE(failed.runner);
        EXPECT_EQ(failed.why, NoRunner::failed) << status;
        EXPECT_THAT(failed.reason, HasSubstr(status));
    }
    Device::instance().no_plans.clear();
    EXPECT_TRUE(compile(72).runner);
}

// All candidates failed while they were timed; the device itself works.
TEST_F(SimulatedNoRunner, MayBeAFailureOfEveryCandidate) {
    Device::instance().refuse_kernels(cudaErrorLaunchOutOfResources);
    const Compiled failed = compile(73);
    EXPECT_FALSE(failed.runner);
    EXPECT_EQ(failed.why, NoRunner::failed);
    EXPECT_THAT(failed.reason, HasSubstr("conv_"));
    Device::instance().mend();
    EXPECT_TRUE(compile(73).runner);
}

}  // namespace
}  // namespace hacscale
