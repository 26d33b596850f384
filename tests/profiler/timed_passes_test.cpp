#include "profiler/timing/network_timer.hpp"

#include <gtest/gtest.h>

#include "models/stages/lowering.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(PassTrace, HasTheTimesOfEachPassInOrder) {
    FakeMachine machine;
    const Graph network = lower(chain_model("chain", {8, 16, 24}));
    FakeRunner runner(machine, network, 1);
    machine.spike = [](int run) { return 1.0 + run; };
    const std::vector<TracedPass> passes =
        trace_passes(runner, network.nodes.size(), 4, [] { return true; }).passes;
    ASSERT_EQ(passes.size(), 4U);
    EXPECT_EQ(machine.runs, untraced_passes + 4);
    double begin_us = -1.0;
    for (std::size_t pass = 0; pass < passes.size(); ++pass) {
        EXPECT_GE(passes[pass].begin_us, begin_us);
        begin_us = passes[pass].begin_us;
        ASSERT_EQ(passes[pass].node_us.size(), network.nodes.size());
        // Every pass is slower than the one before by the same part of the formula's time.
        for (std::size_t node = 0; node < network.nodes.size(); ++node) {
            const double step = machine.latency_us(network.nodes[node].layer);
            if (pass > 0) {
                EXPECT_NEAR(passes[pass].node_us[node] - passes[pass - 1].node_us[node], step, 1e-9);
            }
        }
    }
}

TEST(PassTrace, TakesOffWhatTheClockTook) {
    FakeMachine machine;
    machine.clock_us_behind = [](const LayerSpec&) { return 0.75; };
    const Graph network = lower(chain_model("chain", {8, 16, 24}));
    FakeRunner runner(machine, network, 1);
    const Trace trace = trace_passes(runner, network.nodes.size(), 3, [] { return true; });
    EXPECT_NEAR(trace.clock.layer_us, 0.75, 1e-9);
    EXPECT_EQ(trace.clock.clamped, 0);
    for (const TracedPass& pass : trace.passes) {
        for (std::size_t node = 0; node < network.nodes.size(); ++node) {
            EXPECT_NEAR(pass.node_us[node], machine.latency_us(network.nodes[node].layer), 1e-9);
        }
    }
}

TEST(PassTrace, KeepsWhatThereIsWhenItIsTold) {
    FakeMachine machine;
    const Graph network = lower(chain_model("chain", {8}));
    FakeRunner runner(machine, network, 1);
    const auto keep_going = [&] { return machine.runs < untraced_passes + 2; };
    EXPECT_EQ(trace_passes(runner, network.nodes.size(), 100, keep_going).passes.size(), 2U);
    EXPECT_TRUE(trace_passes(runner, network.nodes.size(), 100, [] { return false; }).passes.empty());
}

}  // namespace
}  // namespace hacscale
