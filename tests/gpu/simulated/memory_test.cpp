// Device memory: all of it comes back, and running out of it anywhere is a reason, not a loss.
#include <gmock/gmock.h>

#include <optional>

#include "base/error.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale {
namespace {

using simulated::Device;
using ::testing::HasSubstr;

struct Held {
    std::size_t blocks = Device::instance().blocks();
    std::size_t bytes = Device::instance().bytes();
    std::size_t handles = Device::instance().handles();
    bool operator==(const Held&) const = default;
};

void use_all_of(NetworkRunner& runner, const Graph& network, int batch = 1) {
    runner.load(random_weights(network, 1));
    set_inputs(runner, random_inputs(network, batch, 2));
    runner.run();
    std::vector<double> node_us(network.nodes.size());
    runner.run_timed(node_us);
    EXPECT_GT(runner.time_cold(), 0.0);
    EXPECT_GT(runner.time_runs(3), 0.0);
    runner.start_layer(0);
    runner.wait();
}

TEST(SimulatedMemory, ComesBackFromRunnersAndBackends) {
    const std::string device = testing::gpu().device.id;
    const Held before;
    {
        const auto backend = testing::new_backend();
        std::optional<Held> with_one;
        for (int i = 0; i < 3; ++i) {
            const Graph network = testing::three_layers(50 + i);
            const Compiled compiled = backend->compile(device, network, {2, DataType::f16});
            ASSERT_TRUE(compiled.runner) << compiled.reason;
            use_all_of(*compiled.runner, network, 2);
            if (!with_one) with_one = Held();
        }
        EXPECT_LT(Held().handles, with_one->handles);
        EXPECT_EQ(Held().blocks, before.blocks + 1) << "the buffer that clears the caches";
    }
    EXPECT_EQ(Held(), before);
}

// The n-th thing that needs memory gets none, for every n until a network compiles without meeting it. Each n
// has a network of its own, whose kernels are still to be timed.
TEST(SimulatedMemory, MayRunOutAnywhereInCompiling) {
    const std::string device = testing::gpu().device.id;
    const int batch = 3;  // no other test has timed these
    const Held before;
    bool met = true;
    int n = 0;
    while (met && ++n < 200) {
        SCOPED_TRACE(n);
        const auto backend = testing::new_backend();
        const Graph network = testing::three_layers(n);
        Device::instance().fail_allocation(n);
        const Compiled refused = backend->compile(device, network, {batch, DataType::f32});
        met = !Device::instance().fault_is_ahead();
        Device::instance().fail_allocation(0);
        ASSERT_NE(met, refused.runner != nullptr);
        if (!met) break;
        EXPECT_THAT(refused.reason, HasSubstr("out of device memory"));
        EXPECT_EQ(Held().handles, before.handles);
        EXPECT_LE(Held().blocks, before.blocks + 1);

        const Compiled compiled = backend->compile(device, network, {batch, DataType::f32});
        ASSERT_TRUE(compiled.runner) << compiled.reason;
        testing::expect_right(*compiled.runner, network, batch, DataType::f32);
    }
    EXPECT_GT(n, 30) << "blocks, streams, events and graphs";
    EXPECT_EQ(Held(), before);
}

// A runner that finds no room for its clocks says so, and continues as soon as there is room.
TEST(SimulatedMemory, MayRunOutAnywhereInTiming) {
    const std::string device = testing::gpu().device.id;
    const Graph network = testing::three_layers(0);
    bool met = true;
    int n = 0;
    while (met && ++n < 200) {
        SCOPED_TRACE(n);
        const Compiled compiled = testing::gpu().backend->compile(device, network, {1, DataType::f32});
        ASSERT_TRUE(compiled.runner) << compiled.reason;
        Device::instance().fail_allocation(n);
        try {
            use_all_of(*compiled.runner, network);
        } catch (const Error& error) {
            EXPECT_THAT(error.what(), HasSubstr("out of device memory"));
        }
        met = !Device::instance().fault_is_ahead();
        Device::instance().fail_allocation(0);
        use_all_of(*compiled.runner, network);
        testing::expect_right(*compiled.runner, network, 1, DataType::f32);
    }
    EXPECT_GT(n, 5);
}

TEST(SimulatedMemory, IsRefusedBeyondWhatTheDeviceHas) {
    const std::string device = testing::gpu().device.id;
    Device& simulated = Device::instance();
    const auto backend = testing::new_backend();
    simulated.capacity_bytes = simulated.bytes() + (std::size_t{1} << 20);
    const Compiled refused = backend->compile(device, testing::three_layers(60), {1, DataType::f32});
    simulated.capacity_bytes = simulated::usual_capacity_bytes;
    EXPECT_THAT(refused.reason, HasSubstr("out of device memory"));
    EXPECT_THAT(refused.reason, HasSubstr("1.0 MiB are free"));
}

TEST(SimulatedMemory, IsCopiedToMeasureBandwidth) {
    Device& simulated = Device::instance();
    const Held before;
    simulated.capacity_bytes = simulated.bytes() + (std::size_t{32} << 20);
    const std::int64_t kernels = simulated.kernels_run();
    const double bytes_per_second = testing::gpu().backend->copy_bandwidth(testing::gpu().device.id);
    simulated.capacity_bytes = simulated::usual_capacity_bytes;
    EXPECT_GT(bytes_per_second, 1e12);
    EXPECT_LT(bytes_per_second, 10e12);
    // Copies by the library and by a kernel, 18 each, and a kernel in front of each: an idle device would wait for the
    // host between the events.
    EXPECT_EQ(simulated.kernels_run() - kernels, 18 + 2 * 18);
    EXPECT_EQ(Held(), before);
}

}  // namespace
}  // namespace hacscale
