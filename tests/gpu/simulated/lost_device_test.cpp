// A device that breaks at any kernel: DeviceLost, whatever was being done, and destructors that survive it.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale {
namespace {

using simulated::Device;

// Whether every kernel of this work may be the one that breaks the device. Each try has a backend and a
// network of its own; nothing of an earlier one is alive when the device is mended.
template <typename Work>
int breaks_everywhere(const Work& work) {
    int n = 1;
    for (; n < 2000; n += 1 + n / 20) {
        SCOPED_TRACE(n);
        bool lost = false;
        {
            const auto backend = testing::new_backend();
            const Graph network = testing::three_layers(n % 100);
            try {
                work(*backend, network, n);
            } catch (const DeviceLost&) {
                lost = true;
            }
        }
        const bool met = !Device::instance().fault_is_ahead();
        EXPECT_EQ(lost, met);
        Device::instance().mend();
        if (!met) break;
    }
    return n;
}

void measure(NetworkRunner& runner, const Graph& network) {
    runner.load(random_weights(network, 1));
    runner.poison();
    runner.run();
    std::vector<double> node_us(network.nodes.size());
    runner.run_timed(node_us);
    runner.time_cold();
    runner.time_runs(3);
    runner.start_layer(1);
    runner.wait();
    runner.output(0);
}

class SimulatedLoss : public ::testing::Test {
protected:
    void TearDown() override { Device::instance().mend(); }
    const std::string device = "cuda:0";
};

TEST_F(SimulatedLoss, AtAnyKernelWhileCompiling) {
    const int last = breaks_everywhere([&](Backend& backend, const Graph& network, int n) {
        Device::instance().break_kernel(n);
        backend.compile(device, network, {1, DataType::f16});
    });
    EXPECT_GT(last, 3);
}

TEST_F(SimulatedLoss, AtAnyKernelWhileRunning) {
    const int last = breaks_everywhere([&](Backend& backend, const Graph& network, int n) {
        const Compiled compiled = backend.compile(device, network, {1, DataType::f32});
        ASSERT_TRUE(compiled.runner) << compiled.reason;
        Device::instance().break_kernel(n);
        measure(*compiled.runner, network);
    });
    EXPECT_GT(last, 50);
}

TEST_F(SimulatedLoss, IsToldByEveryLaterCall) {
    const auto backend = testing::new_backend();
    const Graph network = testing::three_layers(7);
    const Compiled compiled = backend->compile(device, network, {1, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    NetworkRunner& runner = *compiled.runner;
    Device::instance().break_kernel(1);
    EXPECT_THROW(runner.run(), DeviceLost);
    std::vector<double> node_us(network.nodes.size());
    EXPECT_THROW(runner.run(), DeviceLost);
    EXPECT_THROW(runner.run_timed(node_us), DeviceLost);
    EXPECT_THROW(runner.time_cold(), DeviceLost);
    EXPECT_THROW(runner.time_runs(2), DeviceLost);
    EXPECT_THROW(runner.poison(), DeviceLost);
    EXPECT_THROW(runner.output(0), DeviceLost);
    EXPECT_THROW(runner.wait(), DeviceLost);
    EXPECT_THROW(runner.start_layer(0), DeviceLost);
    EXPECT_THROW(runner.load(random_weights(network, 1)), DeviceLost);
    EXPECT_THROW(backend->copy_bandwidth(device), DeviceLost);
    EXPECT_THROW(backend->compile(device, testing::three_layers(8), {1, DataType::f32}), DeviceLost);
    EXPECT_THROW(testing::new_backend()->compile(device, network, {1, DataType::f32}), DeviceLost);
}

}  // namespace
}  // namespace hacscale
