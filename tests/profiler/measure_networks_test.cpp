// Networks compiled and timed together, and what happens when the machine changes its speed meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <utility>

#include "models/stages/lowering.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::vector<Graph> chains(const std::vector<std::vector<int>>& widths) {
    std::vector<Graph> networks;
    for (const auto& chain : widths) networks.push_back(lower(chain_model("chain", chain)));
    return networks;
}

TEST(MeasureNetworks, AnswersInTheOrderAsked) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec& layer) { return 1.0 * layer.out_channels; };
    const auto networks = chains({{64, 64}, {8}, {32, 16}});
    const auto results = measure_graphs(device.handle, networks, quick_settings(), {});
    ASSERT_EQ(results.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(results[i].measured());
        const double truth_us = device.truth_us(networks[i]);
        EXPECT_NEAR(results[i].timing.total.median, truth_us, 1e-6 * truth_us);
        ASSERT_EQ(results[i].implementations.size(), networks[i].nodes.size());
        EXPECT_EQ(results[i].implementations.front(), "fake_conv");
        EXPECT_EQ(results[i].implementations.back(), "fake_linear");
        EXPECT_EQ(results[i].activation_bytes, 4096u);
        EXPECT_GT(results[i].weight_bytes, 0u);
    }
}

TEST(MeasureNetworks, HandsOnWhyANetworkCannotRunAndMeasuresTheOthers) {
    FakeDevice device;
    device.machine.supported = [](const LayerSpec& layer) { return layer.out_channels != 24; };
    const auto results = measure_graphs(device.handle, chains({{8}, {24}, {16}}), quick_settings(), {});
    EXPECT_TRUE(results[0].measured());
    EXPECT_FALSE(results[1].measured());
    EXPECT_THAT(results[1].reason, HasSubstr("no kernel for conv_i8x4x4_o24"));
    EXPECT_TRUE(results[2].measured());
    EXPECT_EQ(results[0].reason, "");
}

TEST(MeasureNetworks, NothingIsMeasuredWhenNothingCanRun) {
    FakeDevice device;
    MeasureSettings settings = quick_settings();
    settings.type = DataType::f16;
    const auto results = measure_graphs(device.handle, chains({{8}}), settings, {});
    EXPECT_FALSE(results[0].measured());
    EXPECT_EQ(results[0].reason, "the fake device has no f16");
    EXPECT_TRUE(measure_graphs(device.handle, {}, settings, {}).empty());
}

TEST(MeasureNetworks, StopsWhenTold) {
    FakeDevice device;
    const WorkEvents never{[] { return false; }};
    const auto results = measure_graphs(device.handle, chains({{8}, {16}}), quick_settings(), never);
    ASSERT_EQ(results.size(), 2u);
    for (const NetworkMeasurement& result : results) {
        EXPECT_FALSE(result.measured());
        EXPECT_TRUE(result.reason.empty());
    }
}

double sum_of_layers(const NetworkMeasurement& result) {
    double sum = 0.0;
    for (const MeanEstimate& node : result.timing.nodes) sum += node.mean;
    return sum;
}

TEST(MeasureNetworks, CountsOnlyWhatWasTimedAtTheFastestPace) {
    FakeDevice device;
    take_long(device.machine);
    // Slower at first, at its fastest for a while, slower again, and so on.
    device.machine.spike = [](int run) { return (run + 340) / 400 % 2 == 0 ? 1.5 : 1.0; };
    const auto networks = chains({{8}, {16, 8}});
    const auto results = measure_graphs(device.handle, networks, quick_settings(), {});
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_TRUE(results[i].measured());
        EXPECT_EQ(results[i].reason, "");
        EXPECT_NEAR(sum_of_layers(results[i]), device.truth_us(networks[i]), 1e-6);
        EXPECT_TRUE(results[i].timing.converged);
    }
}

// The readings of the speed may be fast, and three passes of five slow.
TEST(MeasureNetworks, SaysSoWhenPassesDoNotAgree) {
    FakeDevice device;
    take_long(device.machine);
    int runs = 0;
    device.machine.before_run = [&](const Graph& network) {
        device.machine.slowdown = !is_reference(network) && ++runs % 10 < 6 ? 1.2 : 1.0;
    };
    const auto results = measure_graphs(device.handle, chains({{8}}), quick_settings(), {});
    EXPECT_FALSE(results[0].timing.converged);
    EXPECT_THAT(results[0].reason,
                HasSubstr("the machine was not steady: three in ten of its passes took 1.20 times"));
}

TEST(MeasureNetworks, SaysSoWhenTheMachineStaysSlowerThanItWas) {
    FakeDevice device;
    take_long(device.machine);
    MeasureSettings settings = quick_settings();
    settings.rules.max_seconds = 0.1;
    const auto networks = chains({{8}, {16, 8}});
    for (const NetworkMeasurement& result : measure_graphs(device.handle, networks, settings, {})) {
        EXPECT_EQ(result.reason, "");
    }
    device.machine.slowdown = 1.5;
    const MeasureSettings copy = settings;
    int runs = device.machine.runs;
    const auto results = measure_graphs(device.handle, networks, copy, {});
    const int runs_waiting = device.machine.runs - runs;
    for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_TRUE(results[i].measured());
        EXPECT_FALSE(results[i].timing.converged);
        EXPECT_NEAR(sum_of_layers(results[i]), 1.5 * device.truth_us(networks[i]), 1e-6);
        EXPECT_THAT(results[i].reason,
                    HasSubstr("the machine was slower all the time: the reference network took 1."));
    }
    runs = device.machine.runs;
    measure_graphs(device.handle, networks, copy, {});
    EXPECT_LT(device.machine.runs - runs, runs_waiting / 2) << "it does not wait in vain again";
    device.machine.slowdown = 1.0;
    for (const NetworkMeasurement& result : measure_graphs(device.handle, networks, copy, {})) {
        EXPECT_EQ(result.reason, "");
    }
}

TEST(MeasureNetworks, RatiosAreOfOnePaceWhereTheFastestIsNotToBeHad) {
    FakeDevice device;
    take_long(device.machine);
    MeasureSettings settings = quick_settings();
    settings.rules.max_seconds = 0.1;
    const auto networks = chains({{8}, {16, 8}, {8, 16, 8}});
    measure_graphs(device.handle, networks, settings, {});
    // Three speeds that take turns from round to round, none of them the fastest there was. Within a round
    // they would not do: how many passes are of which speed depends on what else the tests' machine does.
    device.machine.slowdown = 1.3;
    int rounds = 0;
    bool reading = true;
    std::set<std::size_t> visited;
    device.machine.before_run = [&](const Graph& network) {
        const bool begins = std::exchange(reading, is_reference(network)) && !reading;
        if (begins && visited.size() == networks.size()) {
            visited.clear();
            device.machine.slowdown = 1.3 + 0.3 * (++rounds % 3);
        }
        if (!reading) visited.insert(network.nodes.size());
    };
    const auto results = measure_graphs(device.handle, networks, settings, {});
    const double machine_speed = sum_of_layers(results[0]) / device.truth_us(networks[0]);
    EXPECT_NEAR(machine_speed, 1.3, 1e-6);
    for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_NEAR(sum_of_layers(results[i]) / device.truth_us(networks[i]), machine_speed, 1e-6);
        EXPECT_THAT(results[i].reason, HasSubstr("slower all the time"));
    }
}

TEST(MeasureNetworks, TellsThePaceThatItMeasuredAt) {
    FakeDevice device;
    take_long(device.machine);
    const MeasureSettings settings = quick_settings();
    const auto reference_us = [&](double slowdown) {
        device.machine.slowdown = slowdown;
        const auto results = measure_graphs(device.handle, chains({{8}, {16}}), settings, {});
        EXPECT_EQ(results[0].timing.reference_us, results[1].timing.reference_us)
            << "both were in the same rounds";
        return results[0].timing.reference_us.value();
    };
    const double slow_us = reference_us(1.5);
    const SpeedHistory& history = settings.speeds->at({"fake", DataType::f32});
    EXPECT_EQ(history.fastest_measured_us, slow_us);
    const double fast_us = reference_us(1.0);
    EXPECT_NEAR(slow_us / fast_us, 1.5, 1e-6);
    EXPECT_EQ(history.fastest_measured_us, fast_us);
}

TEST(MeasureNetworks, ReasonsOfThePaceStandOnlyWhereThereAreTimes) {
    FakeDevice device;
    take_long(device.machine);
    const MeasureSettings settings = quick_settings();
    measure_graphs(device.handle, chains({{8}}), settings, {});
    device.machine.slowdown = 1.5;
    bool measuring = false;
    device.machine.before_compile = [&](const Graph& network) {
        measuring = measuring || is_reference(network);
    };
    int visits = 0;
    // One network has its turn, then the user interrupts.
    const WorkEvents events{[&] { return !measuring || visits++ < 2; }};
    const auto results = measure_graphs(device.handle, chains({{8}, {16}}), settings, events);
    int measured = 0;
    for (const NetworkMeasurement& result : results) {
        measured += result.measured() ? 1 : 0;
        EXPECT_EQ(result.reason.empty(), !result.measured()) << result.reason;
    }
    EXPECT_EQ(measured, 1);
}

// A device that idled while networks were compiled has lowered its clocks.
TEST(MeasureNetworks, WorksForAWhileBeforeItTimes) {
    FakeDevice device;
    take_long(device.machine);
    device.machine.clock_us = 1e6;
    std::optional<double> first_reading_us;
    device.machine.before_run = [&](const Graph& network) {
        if (is_reference(network) && !first_reading_us) first_reading_us = device.machine.clock_us;
        device.machine.slowdown = device.machine.clock_us < 1.045e6 ? 4.0 : 1.0;
    };
    MeasureSettings settings = quick_settings();
    settings.spin_seconds = 0.05;
    const auto networks = chains({{8}, {16, 8}});
    const auto results = measure_graphs(device.handle, networks, settings, {});
    EXPECT_GE(first_reading_us.value(), 1.05e6);
    for (std::size_t i = 0; i < results.size(); ++i) {
        EXPECT_NEAR(sum_of_layers(results[i]), device.truth_us(networks[i]), 1e-6);
        EXPECT_EQ(results[i].reason, "");
    }
}

TEST(MeasureNetworks, ChoosesTheLayoutThatTheBackendPrefers) {
    const FakeDevice device;
    ModelSpec model = chain_model("chain", {8});
    const auto expect_layout = [&](Layout layout) {
        const Network network{.name = model.name, .graph = lower(model)};
        for (const Node& node : for_device(network, device.handle, 1, DataType::f32).graph.nodes) {
            EXPECT_EQ(node.layer.layout, layout) << node.name;
        }
    };
    expect_layout(Layout::channels_last);
    model.in_channels = 4;
    expect_layout(Layout::blocked);
}

TEST(MeasureNetworks, FootprintIsWeightsAndLivingActivations) {
    const Graph network = lower(chain_model("chain", {16}));
    // Weights and biases: 3 x 8 + 8, 8 x 16 + 16, 16 x 10 + 10. At once: 8 x 4 x 4 in and 16 x 4 x 4 out.
    const std::int64_t weights = 32 + 144 + 170;
    EXPECT_EQ(pass_footprint(network, 1, DataType::f32), 4 * (weights + 24 * 16));
    EXPECT_EQ(pass_footprint(network, 3, DataType::bf16), 2 * (weights + 3 * 24 * 16));
}

}  // namespace
}  // namespace hacscale
