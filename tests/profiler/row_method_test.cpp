// Layers timed inside their network on a device whose clock takes time, and not the same behind each layer.
#include "profiler/timing/rounds.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "profiler/timing/network_timer.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

const auto until_done = [] { return true; };

// Convs take a clock 0.2 us, pools and linear layers 2 us: they are too short to hide it.
FakeMachine machine_with_dear_clock() {
    FakeMachine machine;
    machine.clock_us_behind = [](const LayerSpec& layer) {
        return layer.kind == LayerKind::conv ? 0.2 : 2.0;
    };
    return machine;
}

double mean_clock_us(const FakeMachine& machine, const Graph& network) {
    double sum = 0.0;
    for (const Node& node : network.nodes) sum += machine.clock_us_behind(node.layer);
    return sum / static_cast<double>(network.nodes.size());
}

TEST(RowMethod, ReadsItsNamesBack) {
    for (const RowMethod method : {RowMethod::stopwatch, RowMethod::prefix}) {
        EXPECT_EQ(row_method_from_name(name_of(method)), method);
    }
    EXPECT_THROW(row_method_from_name("sundial"), InputError);
}

// Linear layers of two operations; global pools within another one's.
FakeMachine machine_with_profiler() {
    FakeMachine machine;
    machine.latency_us = [](const LayerSpec& layer) {
        return layer.kind == LayerKind::global_avg_pool ? 0.0 : 2.0 + 0.02 * layer.out_channels;
    };
    machine.operations = [](const LayerSpec& layer) {
        return layer.kind == LayerKind::linear ? 2 : layer.kind == LayerKind::global_avg_pool ? 0 : 1;
    };
    machine.between_operations_us = 0.5;
    return machine;
}

TEST(RowMethod, WhatARuntimeTakesBetweenOperationsIsSpreadEvenlyOverThem) {
    FakeMachine machine = machine_with_profiler();
    const Graph network = lower(chain_model("chain", {16, 32}));
    FakeRunner runner(machine, network, 1);
    const NetworkTiming timing = time_networks({{&runner, network.nodes.size(), RowMethod::profiler}},
                                               quick_settings().rules, 1, until_done)
                                     .front();
    EXPECT_TRUE(timing.converged);
    double sum_us = 0.0;
    double operations_us = 0.0;
    for (std::size_t node = 0; node < network.nodes.size(); ++node) {
        const LayerSpec& layer = network.nodes[node].layer;
        const double alone_us = machine.latency_us(layer);
        const double truth_us = alone_us + machine.between_operations_us * machine.operations(layer);
        if (alone_us > 0.0) {
            EXPECT_NEAR(timing.nodes[node].mean, truth_us, 1e-9) << layer.key();
        }
        EXPECT_GT(timing.nodes[node].mean, 0.0) << "a table has no layer of no time: " << layer.key();
        sum_us += timing.nodes[node].mean;
        operations_us += alone_us;
    }
    EXPECT_NEAR(sum_us, timing.total.median, 0.1);
    ASSERT_TRUE(timing.profiled_us);
    EXPECT_NEAR(*timing.profiled_us, operations_us, 1e-9);
}

TEST(RowMethod, ProfiledPassesThatAreSlowerAreScaledDown) {
    FakeMachine machine = machine_with_profiler();
    machine.between_operations_us = 0.0;
    machine.profiler_slowdown = 1.25;
    const Graph network = lower(chain_model("chain", {16, 32}));
    FakeRunner runner(machine, network, 1);
    const NetworkTiming timing = time_networks({{&runner, network.nodes.size(), RowMethod::profiler}},
                                               quick_settings().rules, 1, until_done)
                                     .front();
    for (std::size_t node = 0; node < network.nodes.size(); ++node) {
        EXPECT_NEAR(timing.nodes[node].mean, machine.latency_us(network.nodes[node].layer), 0.04);
    }
    EXPECT_NEAR(*timing.profiled_us, 1.25 * timing.total.median, 1e-6);
}

TEST(RowMethod, ARuntimesProfilerIsAskedForRowsAlone) {
    FakeDevice device;
    device.machine = machine_with_profiler();
    const Network network = chain("chain", {16});
    MeasureSettings settings = quick_settings();
    const WorkEvents events;
    const auto rows = measure_networks(device.handle, {&network}, settings, events).front();
    EXPECT_GT(device.machine.profiled_passes, 0);
    EXPECT_TRUE(rows.timing.profiled_us);
    device.machine.profiled_passes = 0;
    settings.layers_count = false;
    const auto whole = measure_networks(device.handle, {&network}, settings, events).front();
    EXPECT_EQ(device.machine.profiled_passes, 0);
    EXPECT_TRUE(whole.measured());
    EXPECT_NEAR(whole.timing.total.median, rows.timing.total.median, 1e-9);
}

TEST(RowMethod, PrefixesAreRightWhereTheEvenSpreadIsNot) {
    FakeMachine machine = machine_with_dear_clock();
    const Graph network = lower(chain_model("chain", {16, 32}));
    FakeRunner runner(machine, network, 1);
    const std::size_t nodes = network.nodes.size();
    const auto timings =
        time_networks({{&runner, nodes, RowMethod::stopwatch}, {&runner, nodes, RowMethod::prefix}},
                      quick_settings().rules, 1, until_done);
    const NetworkTiming& stopwatch = timings[0];
    const NetworkTiming& prefix = timings[1];
    EXPECT_TRUE(stopwatch.converged);
    EXPECT_TRUE(prefix.converged);
    EXPECT_GE(prefix.layer_samples, quick_settings().rules.min_sweeps);
    const double mean_us = mean_clock_us(machine, network);
    EXPECT_NEAR(stopwatch.clock.layer_us, mean_us, 1e-9);
    double sum_us = 0.0;
    for (std::size_t node = 0; node < nodes; ++node) {
        const LayerSpec& layer = network.nodes[node].layer;
        const double truth_us = machine.latency_us(layer);
        EXPECT_NEAR(prefix.nodes[node].mean, truth_us, 1e-9) << layer.key();
        EXPECT_NEAR(stopwatch.nodes[node].mean, truth_us + machine.clock_us_behind(layer) - mean_us, 1e-9);
        sum_us += stopwatch.nodes[node].mean;
    }
    // The sum is right all the same: it is no evidence that the layers are.
    EXPECT_NEAR(sum_us, stopwatch.total.median, 1e-9);
    EXPECT_GT(std::abs(stopwatch.nodes.back().mean - prefix.nodes.back().mean), 0.4);
}

// Its cost is read in the turns in which layers are timed, and not once in the beginning.
TEST(RowMethod, TheStopwatchFollowsAClockThatChanges) {
    FakeMachine machine;
    const Graph network = lower(chain_model("chain", {16, 32}));
    machine.clock_us_behind = [&](const LayerSpec&) { return machine.clock_us < 200.0 ? 1.5 : 0.5; };
    FakeRunner runner(machine, network, 1);
    TimingRules rules = quick_settings().rules;
    rules.min_visits = 8;  // so that most of them see the later cost, however long each is
    const NetworkTiming timing =
        time_networks({{&runner, network.nodes.size()}}, rules, 1, until_done).front();
    double sum_us = 0.0;
    for (const MeanEstimate& node : timing.nodes) sum_us += node.mean;
    EXPECT_NEAR(sum_us, timing.total.median, 1e-6);
    EXPECT_NEAR(timing.clock.layer_us, 0.5, 1e-9);
}

TEST(ClockCost, CountsTheReadingsThatItMayNotTakeAllOff) {
    std::vector<std::vector<double>> passes{{1.0, 9.0}, {1.0, 9.0}};
    const ClockCost cost = take_off_clock(passes, {7.0, 7.0});
    EXPECT_DOUBLE_EQ(cost.layer_us, 1.5);
    EXPECT_EQ(cost.clamped, 2);
    EXPECT_EQ(cost.readings, 4);
    EXPECT_DOUBLE_EQ(passes[0][0], 0.1);
    EXPECT_DOUBLE_EQ(passes[0][1], 7.5);
}

// Two medians of a network's prefixes that cannot tell a layer from none.
TEST(RowMethod, ALayerTooShortToTellIsCounted) {
    FakeMachine machine = machine_with_dear_clock();
    machine.latency_us = [](const LayerSpec& layer) { return layer.kind == LayerKind::linear ? 0.001 : 5.0; };
    const Graph network = lower(chain_model("chain", {16}));
    FakeRunner runner(machine, network, 1);
    const NetworkTiming timing = time_networks({{&runner, network.nodes.size(), RowMethod::prefix}},
                                               quick_settings().rules, 1, until_done)
                                     .front();
    EXPECT_EQ(timing.clock.clamped, 1);
    EXPECT_GT(timing.nodes.back().mean, 0.0);
}

TEST(RowMethod, ADeviceWithoutPrefixesSaysSo) {
    FakeDevice device;
    MeasureSettings settings = quick_settings();
    settings.rows = RowMethod::prefix;
    const std::vector<Graph> networks{lower(chain_model("chain", {16}))};
    try {
        measure_graphs(device.handle, networks, settings, {});
        FAIL() << "it measured";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("for GPUs"), std::string::npos) << error.what();
    }
}

TEST(RowMethod, AClockThatWouldKeepKernelsApartIsRefused) {
    FakeDevice device;
    device.machine.kernels_overlap = true;
    const std::vector<Graph> networks{lower(chain_model("chain", {16}))};
    MeasureSettings settings = quick_settings();
    EXPECT_THROW(measure_graphs(device.handle, networks, settings, {}), InputError);
    settings.layers_count = false;
    EXPECT_TRUE(measure_graphs(device.handle, networks, settings, {}).front().measured());
    settings.layers_count = true;
    settings.rows = RowMethod::prefix;
    device.machine.clock_us_behind = [](const LayerSpec&) { return 0.5; };
    EXPECT_TRUE(measure_graphs(device.handle, networks, settings, {}).front().measured());
}

TEST(RowMethod, TheTableKnowsItAndReplacesRowsOfTheOther) {
    const TempFolder folder;
    FakeDevice device;
    device.machine.clock_us_behind = [](const LayerSpec& layer) {
        return layer.kind == LayerKind::conv ? 0.2 : 2.0;
    };
    const DeviceRecord record = device.record();
    Table table = Table::open(folder / "t.db", OpenMode::create, &record);
    ProfileRequest request;
    request.settings = quick_settings();
    request.check_outputs = false;
    request.host_networks = {chain("chain", {16, 32})};
    const ProfileSummary first = profile(device.handle, table, request, {});
    EXPECT_GT(first.measured, 0);
    ASSERT_EQ(first.clocks.size(), 1U);
    for (const Row& row : table.query({})) {
        EXPECT_EQ(row.timed_by, "stopwatch");
        EXPECT_NEAR(row.overhead_us.value(), first.clocks[0].layer_us, 1e-9);
    }
    EXPECT_EQ(profile(device.handle, table, request, {}).measured, 0);

    request.settings.rows = RowMethod::prefix;
    EXPECT_EQ(profile(device.handle, table, request, {}).measured, first.measured);
    for (const Row& row : table.query({})) {
        EXPECT_EQ(row.timed_by, "prefix");
        EXPECT_EQ(row.overhead_us, std::nullopt);
        EXPECT_NEAR(row.latency_us, device.machine.latency_us(row.key.layer), 1e-6);
    }
}

}  // namespace
}  // namespace hacscale
