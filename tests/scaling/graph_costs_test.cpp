#include "scaling/graph_costs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/graph_gain.hpp"
#include "scaling/planner/graph_front.hpp"
#include "tests/models/random_graph.hpp"
#include "tests/scaling/random_chain.hpp"
#include "tests/scaling/random_graph.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::random_assignment;
using testing::SyntheticSource;

// A stem, a concat of two branches of which one has an add, and a head: U-Net's and Inception's edges in small.
Graph branches() {
    Graph graph;
    graph.inputs = {graph.add_input(3, 8, 8)};
    const TensorId stem = testing::conv(graph, "stem", 0, 16);
    const TensorId left = testing::conv(graph, "left", stem, 8);
    const TensorId right = testing::conv_plus(graph, "right", stem, stem);
    const TensorId both = testing::concat(graph, "both", {left, right});
    const TensorId after = testing::conv(graph, "after", both, 24);
    graph.outputs = {testing::conv(graph, "head", after, 10)};
    return graph;
}

// Whether sums over the tables are what the network itself comes to; nothing to compare where the choice makes no network.
void expect_sums_equal_the_network(const Graph& base, const GraphSpace& space, const GraphCosts& costs,
                                   std::mt19937_64& random, const std::string& where) {
    const Assignment values = random_assignment(costs.problem, random);
    const GraphChoice choice = choice_from(space, values);
    const auto totals = totals_of(costs.problem, values);
    std::optional<Graph> network;
    try {
        network = scaled(base, space.groups, space.repeats, choice).graph;
    } catch (const InputError&) {
        EXPECT_FALSE(totals.has_value()) << where;
        return;
    }
    ASSERT_TRUE(totals.has_value()) << where;
    const double latency_us = estimate(*network, SyntheticSource()).latency_us;
    EXPECT_NEAR(static_cast<double>(totals->cost) / picoseconds_per_us, latency_us,
                1e-6 * static_cast<double>(network->nodes.size()))
        << where;
    EXPECT_EQ(totals->usage.params, network->params()) << where;
    EXPECT_EQ(totals->usage.macs, network->macs()) << where;
    EXPECT_EQ(totals->usage.weight_bytes, network->weight_bytes(DataType::f32)) << where;
}

TEST(GraphCosts, SumToTheNetworksOfRandomGraphs) {
    for (unsigned seed = 0; seed < 150; ++seed) {
        std::mt19937_64 random(seed);
        const Graph base = testing::RandomGraph(seed).graph;
        GraphSpaceSettings settings;
        settings.grid = 1;
        settings.max_widths = 4;
        const GraphSpace space = make_graph_space(base, settings);
        const GraphCosts costs = graph_costs(base, space, SyntheticSource());
        ASSERT_NO_THROW(check(costs.problem)) << "seed " << seed;
        for (int i = 0; i < 5; ++i) {
            expect_sums_equal_the_network(base, space, costs, random, "seed " + std::to_string(seed));
        }
    }
}

TEST(GraphCosts, SumToTheNetworksOfTheZoo) {
    for (const std::string name : {"resnet20-cifar", "mobilenetv2-0.35-cifar", "regnetx-200mf", "resnet50"}) {
        const Graph base = lower(find_model(name));
        GraphSpaceSettings settings;
        settings.max_widths = 5;
        const GraphSpace space = make_graph_space(base, settings);
        const GraphCosts costs = graph_costs(base, space, SyntheticSource());
        std::mt19937_64 random(7);
        for (int i = 0; i < 10; ++i) expect_sums_equal_the_network(base, space, costs, random, name);
    }
}

TEST(GraphCosts, LayersBehindAConcatReadTheSumOfItsGroups) {
    const Graph base = branches();
    const GraphSpace space = make_graph_space(base, {});
    const GraphCosts costs = graph_costs(base, space, SyntheticSource());
    ASSERT_EQ(space.groups.size(), 3u);  // stem and right, left, after
    ASSERT_EQ(costs.problem.derived.size(), 1u);
    const std::size_t sums = static_cast<std::size_t>(costs.problem.values.back());
    // Multiples of 8: 8 to 16 and 8 to 32.
    EXPECT_EQ(sums, 5u);
}

TEST(GraphCosts, PlansOfSmallNetworksEqualBruteForce) {
    const Graph base = branches();
    GraphSpaceSettings settings;
    settings.grid = 4;
    const GraphSpace space = make_graph_space(base, settings);
    GraphCosts costs = graph_costs(base, space, SyntheticSource());
    GraphGain gain;
    gain.width = [&](std::size_t group, int width) {
        return static_cast<double>(1 + group) *
               std::log(static_cast<double>(width) / space.groups[group].base_width);
    };
    gain.depth = [](std::size_t, int) { return 0.0; };
    add_gains(costs, space, gain);
    FrontLimits limits;
    limits.max_cost = std::int64_t{1} << 50;
    const GraphFront front = graph_front(costs.problem, limits);
    // Of every choice, what it costs and gains.
    std::vector<std::pair<std::int64_t, std::int64_t>> points;
    GraphChoice choice = choice_of(space.groups, space.repeats);
    for (const int a : space.widths[0]) {
        for (const int b : space.widths[1]) {
            for (const int c : space.widths[2]) {
                choice.widths = {a, b, c};
                std::int64_t cost = 0;
                for (const Node& node : scaled(base, space.groups, space.repeats, choice).graph.nodes) {
                    cost += picoseconds(SyntheticSource::latency_us(node.layer));
                }
                std::int64_t worth = 0;
                for (std::size_t g = 0; g < 3; ++g) {
                    worth += std::llround(gain.width(g, choice.widths[g]) * gain_quanta_per_unit);
                }
                points.emplace_back(cost, -worth);
            }
        }
    }
    std::sort(points.begin(), points.end());
    std::vector<std::int64_t> best_costs;
    std::int64_t best = 1;
    for (const auto& [cost, loss] : points) {
        if (!best_costs.empty() && loss >= best) continue;
        best = loss;
        best_costs.push_back(cost);
    }
    EXPECT_EQ(front.costs, best_costs);
}

TEST(GraphCosts, BlocksThatAreGoneCostAndGainNothing) {
    const Graph base = lower(find_model("resnet20-cifar"));
    const GraphSpace space = make_graph_space(base, {});
    GraphCosts costs = graph_costs(base, space, SyntheticSource());
    GraphGain gain;
    gain.width = [](std::size_t, int) { return 1.0; };
    gain.depth = [](std::size_t, int depth) { return 100.0 * depth; };
    const std::int64_t offset = costs.problem.gain_offset;
    add_gains(costs, space, gain);
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i) {
        const Assignment values = random_assignment(costs.problem, random);
        const GraphChoice choice = choice_from(space, values);
        double expected = 0.0;
        for (const int depth : choice.depths) expected += 100.0 * depth;
        for (std::size_t g = 0; g < space.groups.size(); ++g)
            expected += space.is_gone(choice, g) ? 0.0 : 1.0;
        const auto totals = totals_of(costs.problem, values);
        ASSERT_TRUE(totals.has_value());
        EXPECT_EQ(totals->gain - offset, std::llround(expected * gain_quanta_per_unit));
    }
}

TEST(GraphCosts, MissingLayersAreNamed) {
    const Graph base = branches();
    const GraphSpace space = make_graph_space(base, {});
    const SyntheticSource wide([](const LayerSpec& layer) { return layer.out_channels > 24; });
    const GraphCosts costs = graph_costs(base, space, wide);
    EXPECT_GT(costs.coverage.missing_layers, 0);
    EXPECT_FALSE(costs.coverage.first_missing.empty());
    EXPECT_GT(costs.coverage.infeasible_options, 0);
}

}  // namespace
}  // namespace hacscale
