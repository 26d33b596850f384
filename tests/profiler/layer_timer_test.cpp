// Layers alone, warm and cold, and the guard that uses them.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/graph/graph.hpp"
#include "profiler/timing/layer_timer.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/scattered.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

const auto for_ever = [] { return true; };

FakeRunner runner_of(FakeMachine& machine, int out_channels) {
    return {machine, single_layer(conv(8, out_channels, 4)), 1};
}

TEST(LayerTimer, TellsWarmFromCold) {
    FakeMachine machine;
    machine.latency_us = [](const LayerSpec& layer) { return 1.0 * layer.out_channels; };
    machine.cold_factor = 3.0;
    FakeRunner small = runner_of(machine, 10);
    FakeRunner large = runner_of(machine, 100);
    const TimingRules rules = quick_settings().rules;
    const auto warm = time_layers({&small, &large}, IsolatedState::warm, rules, 1, for_ever);
    const auto cold = time_layers({&small, &large}, IsolatedState::cold, rules, 1, for_ever);
    for (const auto& [timing, truth_us] : {std::pair{warm[0], 10.0}, std::pair{warm[1], 100.0},
                                           std::pair{cold[0], 30.0}, std::pair{cold[1], 300.0}}) {
        EXPECT_TRUE(timing.converged);
        EXPECT_GE(timing.samples, 10);
        EXPECT_NEAR(timing.latency.median, truth_us, 1e-6 * truth_us);
    }
}

TEST(LayerTimer, RunsShortLayersManyTimesASample) {
    FakeMachine machine;
    machine.latency_us = [](const LayerSpec&) { return 1.0; };
    FakeRunner runner = runner_of(machine, 8);
    const LayerTiming timing =
        time_layers({&runner}, IsolatedState::warm, quick_settings().rules, 1, for_ever).front();
    EXPECT_NEAR(timing.latency.median, 1.0, 1e-6);
    EXPECT_GE(machine.runs, 5 * timing.samples);
}

TEST(LayerTimer, EvictsBeforeEachColdSample) {
    FakeMachine machine;
    machine.cold_factor = 50.0;
    FakeRunner runner = runner_of(machine, 8);
    const LayerTiming timing =
        time_layers({&runner}, IsolatedState::cold, quick_settings().rules, 1, for_ever).front();
    EXPECT_EQ(machine.runs, timing.samples) << "a cold layer is run once a sample, without warming up";
    EXPECT_NEAR(timing.latency.median, 50 * machine.latency_us(conv(8, 8, 4)), 1e-6);
}

TEST(LayerTimer, EndsByTimeAndByWord) {
    FakeMachine machine;
    FakeRunner runner = runner_of(machine, 8);
    TimingRules rules = quick_settings().rules;
    rules.target_half_width = 0.0;
    rules.max_seconds = 0.01;
    machine.spike = scattered;
    const LayerTiming noisy = time_layers({&runner}, IsolatedState::warm, rules, 1, for_ever).front();
    EXPECT_FALSE(noisy.converged);
    EXPECT_GT(noisy.samples, 0);
    const LayerTiming none =
        time_layers({&runner}, IsolatedState::warm, rules, 1, [] { return false; }).front();
    EXPECT_EQ(none.samples, 0);
    EXPECT_FALSE(none.converged);
    EXPECT_TRUE(time_layers({}, IsolatedState::cold, rules, 1, for_ever).empty());
}

}  // namespace
}  // namespace hacscale
