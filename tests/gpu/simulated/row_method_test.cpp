// Times of layers inside their network, on a device where an event keeps the kernel behind it waiting: kernels of some
// layers longer than those of others.
#include "profiler/timing/rounds.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "models/graph/graph_values.hpp"
#include "profiler/timing/network_timer.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/three_layers.hpp"

namespace hacscale {
namespace {

using simulated::Device;

class SimulatedRowMethod : public ::testing::Test {
protected:
    SimulatedRowMethod() : network(testing::three_layers(0)) {
        testing::Gpu& gpu = testing::gpu();
        runner = gpu.backend->compile(gpu.device.id, network, {1, DataType::f16}).runner;
        runner->load(random_weights(network, 3));
        set_inputs(*runner, random_inputs(network, 1, 4));
        rules = {.target_half_width = 0.01,
                 .max_seconds = 20.0,
                 .min_samples = 6,
                 .min_sweeps = 6,
                 .min_visits = 2,
                 .burst_us = 100.0};
    }
    ~SimulatedRowMethod() override {
        runner.reset();
        Device::instance().mend();
    }

    NetworkTiming timed(RowMethod rows) {
        return time_networks({{runner.get(), network.nodes.size(), rows}}, rules, 1, [] { return true; })
            .front();
    }

    // What each layer takes with no event near it.
    std::vector<double> kernels_us() const {
        std::vector<double> us;
        for (std::size_t node = 0; node < network.nodes.size(); ++node) {
            const double begin_us = Device::instance().clock_us();
            runner->start_layer(static_cast<int>(node));
            runner->wait();
            us.push_back(Device::instance().clock_us() - begin_us);
        }
        return us;
    }

    Graph network;
    std::unique_ptr<NetworkRunner> runner;
    TimingRules rules;
};

TEST_F(SimulatedRowMethod, PrefixesAreRightWhereAnEventCostsOneKindOfLayerMore) {
    const std::vector<double> truth_us = kernels_us();
    // The depthwise conv is the shortest of the three.
    const double shortest_us = truth_us[1];
    ASSERT_LT(shortest_us, truth_us[0]);
    ASSERT_LT(shortest_us, truth_us[2]);
    Device::instance().behind_event_us = [shortest_us](double duration_us) {
        return duration_us <= shortest_us ? 1.2 : 0.3;
    };
    const NetworkTiming stopwatch = timed(RowMethod::stopwatch);
    const NetworkTiming prefix = timed(RowMethod::prefix);
    for (std::size_t node = 1; node < network.nodes.size(); ++node) {
        EXPECT_NEAR(prefix.nodes[node].mean, truth_us[node], 1e-3) << network.nodes[node].name;
    }
    // In every graph the clock is started before the first kernel and stopped behind the last: the network's time
    // has that in it.
    const double sum_us = std::accumulate(truth_us.begin(), truth_us.end(), 0.0);
    const double ends_us = prefix.total.median - sum_us;
    EXPECT_GE(ends_us, 0.3 - 1e-3);
    EXPECT_NEAR(prefix.nodes[0].mean, truth_us[0] + ends_us, 1e-3);
    // The stopwatch takes the same from the conv as from the depthwise conv.
    EXPECT_GT(stopwatch.clock.layer_us, 0.4);
    EXPECT_GT(stopwatch.nodes[1].mean, 1.1 * truth_us[1]);
    double rows_us = 0.0;
    for (const MeanEstimate& row : stopwatch.nodes) rows_us += row.mean;
    EXPECT_NEAR(rows_us, stopwatch.total.median, 1e-3);
}

}  // namespace
}  // namespace hacscale
