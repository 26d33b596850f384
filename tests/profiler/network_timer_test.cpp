// Times of networks and of their layers, from runners whose times are known.
#include <gtest/gtest.h>

#include <random>

#include "models/stages/lowering.hpp"
#include "profiler/timing/network_timer.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/scattered.hpp"

namespace hacscale {
namespace {

using namespace testing;

const auto without_end = [] { return true; };

struct NetworkUnderTest {
    FakeMachine machine{};
    Graph network;
    FakeRunner runner;

    explicit NetworkUnderTest(const std::vector<int>& widths, double scale = 1.0)
        : machine(scaled_machine(scale)),
          network(lower(chain_model("chain", widths))),
          runner(machine, network, 1) {}
    static FakeMachine scaled_machine(double scale) {
        FakeMachine machine;
        machine.latency_us = [scale](const LayerSpec& layer) { return scale * (2.0 + layer.out_channels); };
        return machine;
    }
    TimedNetwork timed(RowMethod rows = RowMethod::stopwatch) {
        return {&runner, network.nodes.size(), rows};
    }
    double truth_us() const {
        double sum = 0.0;
        for (const Node& node : network.nodes) sum += machine.latency_us(node.layer);
        return sum;
    }
};

double sum_of_nodes(const NetworkTiming& timing) {
    double sum = 0.0;
    for (const MeanEstimate& node : timing.nodes) sum += node.mean;
    return sum;
}

TEST(NetworkTimer, LayersAddUpToTheNetwork) {
    NetworkUnderTest small({16, 32});
    NetworkUnderTest large({64, 32, 96});
    const auto timings =
        time_networks({small.timed(), large.timed()}, quick_settings().rules, 1, without_end);
    ASSERT_EQ(timings.size(), 2u);
    for (const auto& [network_under_test, timing] :
         {std::pair{&small, &timings[0]}, std::pair{&large, &timings[1]}}) {
        EXPECT_TRUE(timing->converged);
        EXPECT_GE(timing->samples, 10);
        EXPECT_GE(timing->layer_samples, timing->samples / 3);
        EXPECT_LE(timing->layer_samples, timing->samples);
        ASSERT_EQ(timing->nodes.size(), network_under_test->network.nodes.size());
        EXPECT_NEAR(sum_of_nodes(*timing), network_under_test->truth_us(),
                    1e-6 * network_under_test->truth_us());
        EXPECT_NEAR(timing->total.median, network_under_test->truth_us(),
                    1e-6 * network_under_test->truth_us());
        for (std::size_t i = 0; i < timing->nodes.size(); ++i) {
            EXPECT_NEAR(timing->nodes[i].mean,
                        network_under_test->machine.latency_us(network_under_test->network.nodes[i].layer),
                        1e-6);
        }
    }
}

TEST(NetworkTimer, RareSpikesChangeNothing) {
    NetworkUnderTest network_under_test({16, 32});
    // Passes with a clock read a layer are the odd ones.
    network_under_test.machine.spike = [](int run) {
        const int place = run % 20;
        return place == 7 ? 10.0 : place == 13 ? 0.1 : 1.0;
    };
    TimingRules rules = quick_settings().rules;
    rules.min_samples = 80;
    const NetworkTiming timing = time_networks({network_under_test.timed()}, rules, 1, without_end).front();
    // The mean over all timed passes would be 1.8 times the truth.
    EXPECT_NEAR(sum_of_nodes(timing), network_under_test.truth_us(), 1e-6 * network_under_test.truth_us());
    EXPECT_NEAR(timing.total.median, network_under_test.truth_us(), 1e-6 * network_under_test.truth_us());
}

TEST(NetworkTimer, TakesTheMeanOfTheMiddlePasses) {
    // Timed passes of two speeds in nearly equal parts: the middle half has both in nearly equal parts too.
    NetworkUnderTest network_under_test({16});
    std::mt19937 random(4);
    network_under_test.machine.spike = [&](int) { return random() % 2 == 0 ? 1.0 : 1.2; };
    TimingRules rules = quick_settings().rules;
    rules.min_samples = 400;
    rules.target_half_width = 1.0;
    const NetworkTiming timing = time_networks({network_under_test.timed()}, rules, 1, without_end).front();
    EXPECT_NEAR(sum_of_nodes(timing), 1.1 * network_under_test.truth_us(),
                0.06 * network_under_test.truth_us());
    for (const MeanEstimate& node : timing.nodes) EXPECT_GT(node.half_width, 0.0);
}

TEST(NetworkTimer, SaysWhenTimeWasUpBeforeTheIntervalWasNarrow) {
    NetworkUnderTest network_under_test({16});
    TimingRules rules = quick_settings().rules;
    rules.target_half_width = 0.0;
    rules.max_seconds = 0.02;
    network_under_test.machine.spike = scattered;
    const NetworkTiming timing = time_networks({network_under_test.timed()}, rules, 1, without_end).front();
    // Beyond the limit by less than one visit.
    EXPECT_GE(network_under_test.machine.clock_us, 0.02e6);
    EXPECT_LT(network_under_test.machine.clock_us,
              0.02e6 + 20.0 * network_under_test.truth_us() + rules.burst_us);
    EXPECT_FALSE(timing.converged);
    EXPECT_GT(timing.samples, 0);
    EXPECT_GT(timing.total.median, 0.0);
}

TEST(NetworkTimer, ANarrowIntervalOfFewPassesWillDoWhereTheTimeIsUp) {
    NetworkUnderTest network_under_test({16});
    TimingRules rules = quick_settings().rules;
    rules.target_half_width = 1.0;
    rules.max_seconds = 0.05;
    rules.min_samples = 1'000'000;
    rules.min_samples_in_all = 8;
    const auto converged = [&] {
        return time_networks({network_under_test.timed()}, rules, 1, without_end).front().converged;
    };
    EXPECT_TRUE(converged());
    rules.min_samples_in_all = 1'000'000;
    EXPECT_FALSE(converged());
}

TEST(NetworkTimer, VisitsEachNetworkAsOftenAsTheRulesSay) {
    NetworkUnderTest network_under_test({16});
    TimingRules rules = quick_settings().rules;
    rules.min_visits = 5;
    rules.min_samples = 1;
    rules.target_half_width = 100.0;
    int visits = 0;
    time_networks({network_under_test.timed()}, rules, 1, [&] { return ++visits > 0; });
    EXPECT_GE(visits, 5);
}

TEST(NetworkTimer, StopsWhenToldAndKeepsWhatThereIs) {
    NetworkUnderTest first({16});
    NetworkUnderTest second({16});
    const TimingRules rules = quick_settings().rules;
    const auto nothing = time_networks({first.timed(), second.timed()}, rules, 1, [] { return false; });
    ASSERT_EQ(nothing.size(), 2u);
    for (const NetworkTiming& timing : nothing) {
        EXPECT_EQ(timing.samples, 0);
        EXPECT_FALSE(timing.converged);
        EXPECT_EQ(timing.nodes.size(), first.network.nodes.size());
    }
    int asked = 0;
    const auto one = time_networks({first.timed(), second.timed()}, rules, 1, [&] { return asked++ == 0; });
    EXPECT_NE(one[0].samples == 0, one[1].samples == 0) << "one of them had its turn";
}

TEST(NetworkTimer, CountsLongPassesToo) {
    // A pass longer than the burst: a visit has two at least, and the timing ends.
    NetworkUnderTest network_under_test({16}, 20.0);
    TimingRules rules = quick_settings().rules;
    rules.burst_us = 1.0;
    const NetworkTiming timing = time_networks({network_under_test.timed()}, rules, 1, without_end).front();
    EXPECT_GE(timing.samples, 10);
    EXPECT_NEAR(timing.total.median, network_under_test.truth_us(), 1e-6 * network_under_test.truth_us());
}

}  // namespace
}  // namespace hacscale
