// What the instruments tell of a real GPU. A figure that is missing has to say why.
#include "profiler/instruments/instruments.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "models/graph/graph_values.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/gpu/gpu.hpp"

namespace hacscale {
namespace {

class GpuInstruments : public testing::GpuTest {
protected:
    void SetUp() override {
        testing::GpuTest::SetUp();
        if (IsSkipped()) return;
        instruments = open_instruments(testing::gpu().device);
        ASSERT_NE(instruments, nullptr);
    }
    std::vector<LayerReadings> inspect() {
        const Compiled compiled = backend().compile(device(), network, {8, DataType::f16});
        if (!compiled.runner) {
            ADD_FAILURE() << compiled.reason;
            return {};
        }
        compiled.runner->load(random_weights(network, 1));
        return instruments->inspect(*compiled.runner, network);
    }
    const Graph network = lower(find_model("resnet20-cifar"));
    std::unique_ptr<Instruments> instruments;
};

// A share between 0 and 1, but for counters that are read in different passes; or the reason why there is
// none.
void expect_share(const LayerReadings& layer, const char* column, const std::optional<double>& value) {
    if (value) {
        EXPECT_GE(*value, 0.0) << column;
        EXPECT_LE(*value, max_share) << column;
    } else {
        EXPECT_EQ(layer.reasons.count(column), 1U) << column;
    }
}

TEST_F(GpuInstruments, SeeTheKernelsOfEveryLayer) {
    const std::vector<LayerReadings> readings = inspect();
    ASSERT_EQ(readings.size(), network.nodes.size());
    for (std::size_t node = 0; node < readings.size(); ++node) {
        SCOPED_TRACE(network.nodes[node].name);
        const LayerReadings& layer = readings[node];
        if (!layer.kernel_time_us) GTEST_SKIP() << layer.reasons.at("kernel_time_us");
        ASSERT_FALSE(layer.kernels.empty());
        double kernels_us = 0.0;
        for (const KernelLaunch& kernel : layer.kernels) {
            EXPECT_FALSE(kernel.name.empty());
            EXPECT_GT(kernel.registers_per_thread, 0);
            EXPECT_GT(kernel.duration_us, 0.0);
            kernels_us += kernel.duration_us;
        }
        EXPECT_DOUBLE_EQ(*layer.kernel_time_us, kernels_us);
        ASSERT_TRUE(layer.occupancy_theoretical) << layer.reasons.at("occupancy_theoretical");
        EXPECT_GT(*layer.occupancy_theoretical, 0.0);
        EXPECT_LE(*layer.occupancy_theoretical, 1.0);
        EXPECT_LE(*layer.occupancy_grid_limited, *layer.occupancy_theoretical);
    }
    EXPECT_EQ(instruments->dropped_records(), 0);
}

TEST_F(GpuInstruments, CountOrSayWhyNot) {
    for (const LayerReadings& layer : inspect()) {
        expect_share(layer, "occupancy_achieved", layer.occupancy_achieved);
        expect_share(layer, "tensor_active", layer.tensor_active);
        expect_share(layer, "sm_busy", layer.sm_busy);
        expect_share(layer, "l2_hit_rate", layer.l2_hit_rate);
        if (!layer.dram_bytes) {
            EXPECT_EQ(layer.reasons.count("dram_bytes"), 1U);
        }
        if (layer.occupancy_achieved && layer.occupancy_theoretical) {
            EXPECT_GT(*layer.occupancy_achieved, 0.0);
            EXPECT_LE(*layer.occupancy_achieved, *layer.occupancy_theoretical + 0.05);
        }
    }
}

// A second look finds the same kernels: nothing is left over from the first.
TEST_F(GpuInstruments, SeeTheSameKernelsAgain) {
    const std::vector<LayerReadings> first = inspect();
    const std::vector<LayerReadings> second = inspect();
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t node = 0; node < first.size(); ++node) {
        ASSERT_EQ(first[node].kernels.size(), second[node].kernels.size()) << network.nodes[node].name;
        for (std::size_t kernel = 0; kernel < first[node].kernels.size(); ++kernel) {
            EXPECT_EQ(first[node].kernels[kernel].block, second[node].kernels[kernel].block);
        }
    }
}

// A process in which CUPTI has recorded times networks as one in which it has not, those compiled before and
// after.
TEST_F(GpuInstruments, LeaveTimingsAsTheyWere) {
    const auto compile = [&] {
        Compiled compiled = backend().compile(device(), network, {1, DataType::f16});
        compiled.runner->load(random_weights(network, 1));
        return std::move(compiled.runner);
    };
    const auto median_us = [](NetworkRunner& runner) {
        std::vector<double> times;
        for (int i = 0; i < 500; ++i) times.push_back(runner.time_runs(1));
        std::nth_element(times.begin(), times.begin() + 250, times.end());
        return times[250];
    };
    const std::unique_ptr<NetworkRunner> runner = compile();
    // Clocks rise while a GPU works, so what comes later may well be faster.
    double before = median_us(*runner);
    for (int i = 0; i < 10; ++i) before = std::min(before, median_us(*runner));
    instruments->inspect(*runner, network);
    EXPECT_LT(median_us(*runner) / before, 1.015);
    EXPECT_LT(median_us(*compile()) / before, 1.015);
}

TEST_F(GpuInstruments, TellTheStateOrSayWhyNot) {
    const DeviceState state = instruments->state();
    EXPECT_TRUE(state.sm_clock_mhz || state.reasons.count("sm_clock_mhz") == 1U);
    EXPECT_TRUE(state.power_w || state.reasons.count("power_w") == 1U);
    const EnergyCounter energy = instruments->energy();
    EXPECT_TRUE(energy.mj || !energy.reason.empty());
    if (state.sm_clock_mhz) {
        EXPECT_GT(*state.sm_clock_mhz, 100.0);
    }
    if (state.temperature_c) {
        EXPECT_GT(*state.temperature_c, 5.0);
    }
}

}  // namespace
}  // namespace hacscale
