// What happens when something goes wrong on a GPU.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/stream.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/trap.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

class GpuFaults : public testing::GpuTest {};

TEST_F(GpuFaults, TooLittleMemoryIsAReasonAndTheNextNetworkRuns) {
    LayerSpec huge;
    huge.kind = LayerKind::scale_shift;  // any size of it can be compiled
    huge.in_channels = huge.out_channels = 64;
    huge.in_height = huge.in_width = 8192;  // 16 GiB an image, and as much for the output
    const Compiled refused = backend().compile(device(), single_layer(huge), {64, DataType::f32});
    EXPECT_FALSE(refused.runner);
    EXPECT_THAT(refused.reason, HasSubstr("out of device memory"));

    const Graph network = lower(testing::zoo_model("resnet20-cifar"));
    const Compiled compiled = backend().compile(device(), network, {1, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    compiled.runner->load(random_weights(network, 1));
    EXPECT_GT(compiled.runner->time_runs(2), 0.0);
}

TEST_F(GpuFaults, BlockedTensorsAreRefusedInWords) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 16;
    layer.in_height = layer.in_width = 8;
    layer.layout = Layout::blocked;
    const Compiled refused = backend().compile(device(), single_layer(layer), {1, DataType::f32});
    EXPECT_FALSE(refused.runner);
    EXPECT_THAT(refused.reason, HasSubstr("channels_last"));
}

TEST_F(GpuFaults, AFailedCaptureLeavesTheStreamUsable) {
    cuda::use_device(0);
    const cuda::DeviceBuffer buffer(1024, "a test");
    const cuda::Stream stream;
    const auto fill = [&](int value) {
        cuda::check(cudaMemsetAsync(buffer.data(), value, buffer.size(), stream.get()), "filling");
    };
    EXPECT_THROW(cuda::CapturedGraph::capture(stream,
                                              [&] {
                                                  fill(1);
                                                  throw WorkError("interrupted");
                                              }),
                 WorkError);
    const cuda::CapturedGraph graph = cuda::CapturedGraph::capture(stream, [&] { fill(2); });
    graph.launch(stream);
    stream.synchronize("filling");
}

// In a process of its own, because the device cannot be used after it.
using GpuFaultsDeathTest = GpuFaults;
TEST_F(GpuFaultsDeathTest, ATrappedKernelLosesTheDevice) {
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            cuda::use_device(0);
            const cuda::Stream stream;
            int status = 1;
            try {
                testing::launch_trap(stream.get());
                stream.synchronize("running a kernel that traps");
            } catch (const DeviceLost&) {
                status = 0;
            }
            std::_Exit(status);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hacscale
