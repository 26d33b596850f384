// Networks compiled and timed together, and what happens when the machine drifts meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/profiler/fake_backend.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

std::vector<Network> chains(const std::vector<std::vector<int>>& widths) {
    std::vector<Network> networks;
    for (const auto& chain : widths) networks.push_back(lower(chain_model("chain", chain)));
    return networks;
}

TEST(MeasureNetworks, AnswersInTheOrderAsked) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec& layer) { return 1.0 * layer.out_channels; };
    const auto networks = chains({{64, 64}, {8}, {32, 16}});
    const auto results = measure_networks(device.handle, networks, quick_settings(), {});
    ASSERT_EQ(results.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_TRUE(results[i].measured());
        const double truth_us = device.truth_us(networks[i]);
        EXPECT_GE(results[i].timing.total.median, truth_us);
        EXPECT_LE(results[i].timing.total.median, 1.3 * truth_us);
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
    const auto results = measure_networks(device.handle, chains({{8}, {24}, {16}}), quick_settings(), {});
    EXPECT_TRUE(results[0].measured());
    EXPECT_FALSE(results[1].measured());
    EXPECT_THAT(results[1].reason, HasSubstr("no kernel for conv_i8x4x4_o24"));
    EXPECT_TRUE(results[2].measured());
    EXPECT_TRUE(results[0].reason.empty() || results[0].reason.find("drifted") != std::string::npos);
}

TEST(MeasureNetworks, NothingIsMeasuredWhenNothingCanRun) {
    FakeDevice device;
    MeasureSettings settings = quick_settings();
    settings.type = DataType::f16;
    const auto results = measure_networks(device.handle, chains({{8}}), settings, {});
    EXPECT_FALSE(results[0].measured());
    EXPECT_EQ(results[0].reason, "the fake device has no f16");
    EXPECT_TRUE(measure_networks(device.handle, {}, settings, {}).empty());
}

TEST(MeasureNetworks, StopsWhenTold) {
    FakeDevice device;
    const WorkEvents never{[] { return false; }};
    const auto results = measure_networks(device.handle, chains({{8}, {16}}), quick_settings(), never);
    ASSERT_EQ(results.size(), 2u);
    for (const NetworkMeasurement& result : results) {
        EXPECT_FALSE(result.measured());
        EXPECT_TRUE(result.reason.empty());
    }
}

// Makes the machine slower by a tenth in each of the first `sessions` sessions of measuring.
class Drift {
public:
    Drift(FakeMachine& machine, int sessions) : machine_(machine), left_(sessions) {
        // Long enough that the clock and other work don't hide three percent.
        machine.latency_us = [](const LayerSpec&) { return 20.0; };
        // The guard compiles its layer at the start of each session.
        machine.before_compile = [this](const Network& network) {
            if (network.nodes.size() > 1) return;
            ++sessions_;
            pending_ = true;
        };
        machine.before_run = [this](const Network& network) {
            if (network.nodes.size() == 1 || !pending_) return;
            pending_ = false;
            if (left_-- > 0) machine_.slowdown *= 1.1;
        };
    }
    int sessions() const { return sessions_; }

private:
    FakeMachine& machine_;
    int left_;
    int sessions_ = 0;
    bool pending_ = false;
};

TEST(MeasureNetworks, MeasuresAgainAfterTheMachineDriftedOnce) {
    FakeDevice device;
    const Drift drift(device.machine, 1);
    const auto networks = chains({{8}, {16, 8}});
    const auto results = measure_networks(device.handle, networks, quick_settings(), {});
    EXPECT_GE(drift.sessions(), 2);
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_TRUE(results[i].measured());
        double sum = 0.0;
        for (const MeanEstimate& node : results[i].timing.nodes) sum += node.mean;
        EXPECT_NEAR(sum, 1.1 * device.truth_us(networks[i]), 1e-6) << "the second session's times count";
    }
}

TEST(MeasureNetworks, SaysSoWhenTheMachineGoesOnDrifting) {
    FakeDevice device;
    const Drift drift(device.machine, 100);
    const auto results = measure_networks(device.handle, chains({{8}, {16, 8}}), quick_settings(), {});
    EXPECT_EQ(drift.sessions(), 3) << "once and two repeats";
    for (const NetworkMeasurement& result : results) {
        EXPECT_TRUE(result.measured());
        EXPECT_THAT(result.reason, HasSubstr("the machine drifted: the reference layer took 1."));
    }
}

TEST(MeasureNetworks, ReasonsOfDriftStandOnlyWhereThereAreTimes) {
    FakeDevice device;
    const Drift drift(device.machine, 100);
    int visits = 0;
    bool measuring = false;
    device.machine.before_compile = [&, drifting = device.machine.before_compile](const Network& network) {
        drifting(network);
        measuring = measuring || network.nodes.size() == 1;
    };
    // One network has its turn, then the user interrupts.
    const WorkEvents events{[&] { return !measuring || visits++ < 2; }};
    const auto results = measure_networks(device.handle, chains({{8}, {16}}), quick_settings(), events);
    int measured = 0;
    for (const NetworkMeasurement& result : results) {
        measured += result.measured() ? 1 : 0;
        EXPECT_EQ(result.reason.empty(), !result.measured()) << result.reason;
    }
    EXPECT_EQ(measured, 1);
}

TEST(MeasureNetworks, ChoosesTheLayoutThatTheBackendPrefers) {
    const FakeDevice device;
    ModelSpec model = chain_model("chain", {8});
    EXPECT_EQ(for_device(model, device.handle).layout, Layout::channels_last);
    model.in_channels = 4;
    EXPECT_EQ(for_device(model, device.handle).layout, Layout::blocked);
}

TEST(MeasureNetworks, FootprintIsWeightsAndLivingActivations) {
    const Network network = lower(chain_model("chain", {16}));
    // Weights and biases: 3 x 8 + 8, 8 x 16 + 16, 16 x 10 + 10. At once: 8 x 4 x 4 in and 16 x 4 x 4 out.
    const std::int64_t weights = 32 + 144 + 170;
    EXPECT_EQ(pass_footprint(network, 1, DataType::f32), 4 * (weights + 24 * 16));
    EXPECT_EQ(pass_footprint(network, 3, DataType::bf16), 2 * (weights + 3 * 24 * 16));
}

}  // namespace
}  // namespace hacscale
