// Memory plans over generated networks: what is alive together never shares memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "models/graph/memory_plan.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

struct Graph {
    Network network;
    std::vector<std::size_t> output_bytes;

    std::size_t sum() const {
        return std::accumulate(output_bytes.begin(), output_bytes.end(), std::size_t{0});
    }
};

// A chain in which some nodes go back to an earlier output as input or residual. The residual has the size of
// the output, as lowering makes sure of; an earlier node's size is repeated often enough to find one.
Graph random_graph(std::mt19937& random) {
    const auto below = [&](int count) { return static_cast<int>(random() % count); };
    Graph graph;
    const int count = 1 + below(30);
    for (int i = 0; i < count; ++i) {
        NetworkNode node;
        node.input = i - 1;
        if (i > 1 && below(5) == 0) node.input = below(i) - 1;
        std::size_t bytes = 4 * (1 + below(1000));
        const int form = below(3);
        if (form == 0 && node.input >= 0) {
            node.layer.kind = LayerKind::squeeze_excite;
            bytes = graph.output_bytes[node.input];
        } else if (form == 1 && i > 0) {
            node.layer.residual = true;
            node.residual = i - 1 - below(std::min(i, 6));
            bytes = graph.output_bytes[node.residual];
        }
        graph.network.nodes.push_back(node);
        graph.output_bytes.push_back(bytes);
    }
    return graph;
}

// The last node that reads this one's output; the last node's output is read after the run.
int last_reader(const Network& network, int index) {
    const int count = static_cast<int>(network.nodes.size());
    int last = index == count - 1 ? count : index;
    for (int i = index + 1; i < count; ++i) {
        const NetworkNode& node = network.nodes[i];
        if (node.input == index || (node.layer.residual && node.residual == index)) last = i;
    }
    return last;
}

// The node that `index` may overwrite when its plan says "in place".
int overwritten(const Network& network, int index) {
    const NetworkNode& node = network.nodes[index];
    return node.layer.kind == LayerKind::squeeze_excite ? node.input : node.residual;
}

void expect_sound(const Graph& graph, const MemoryPlan& plan) {
    const auto& [network, bytes] = graph;
    const int count = static_cast<int>(network.nodes.size());
    ASSERT_EQ(plan.offsets.size(), network.nodes.size());
    ASSERT_EQ(plan.in_place.size(), network.nodes.size());
    // Rounding up to cache lines is all that may be added.
    EXPECT_LE(plan.bytes, graph.sum() + 64 * network.nodes.size());
    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(plan.offsets[i] % 64, 0u);
        EXPECT_LE(plan.offsets[i] + bytes[i], plan.bytes);
        if (plan.in_place[i]) {
            const int from = overwritten(network, i);
            ASSERT_GE(from, 0);
            EXPECT_EQ(plan.offsets[i], plan.offsets[from]);
            EXPECT_EQ(bytes[i], bytes[from]);
            EXPECT_EQ(last_reader(network, from), i) << "node " << i << " overwrites what is read later";
            // A conv reads its input while it writes.
            if (network.nodes[i].layer.residual) {
                EXPECT_NE(network.nodes[i].input, network.nodes[i].residual);
            }
        }
        for (int earlier = 0; earlier < i; ++earlier) {
            if (last_reader(network, earlier) < i) continue;  // dead before i is written
            if (plan.in_place[i] && overwritten(network, i) == earlier) continue;
            const bool apart = plan.offsets[earlier] + bytes[earlier] <= plan.offsets[i] ||
                               plan.offsets[i] + bytes[i] <= plan.offsets[earlier];
            EXPECT_TRUE(apart) << "nodes " << earlier << " and " << i;
        }
    }
}

TEST(MemoryPlan, KeepsOutputsApartThatAreAliveTogether) {
    std::mt19937 random(3);
    int in_place = 0;
    for (int trial = 0; trial < 3000 && !::testing::Test::HasFailure(); ++trial) {
        SCOPED_TRACE("trial " + std::to_string(trial));
        const Graph graph = random_graph(random);
        const MemoryPlan plan = plan_memory(graph.network, graph.output_bytes);
        expect_sound(graph, plan);
        in_place += static_cast<int>(std::count(plan.in_place.begin(), plan.in_place.end(), true));
    }
    EXPECT_GT(in_place, 1000) << "the cases have to contain residuals that can be overwritten";
}

TEST(MemoryPlan, HoldsForNetworksOfTheZoo) {
    for (const char* name : {"resnet18", "mobilenetv2-1.0", "efficientnet-b0", "regnety-400mf", "vgg16-bn"}) {
        Graph graph{lower(find_model(name)), {}};
        for (const NetworkNode& node : graph.network.nodes) {
            graph.output_bytes.push_back(
                static_cast<std::size_t>(cost_of(node.layer, 1, DataType::f32).activations * sizeof(float)));
        }
        const MemoryPlan plan = plan_memory(graph.network, graph.output_bytes);
        expect_sound(graph, plan);
        EXPECT_LT(plan.bytes, graph.sum() / 2) << name;
    }
}

TEST(MemoryPlan, AddsResidualsInPlaceInAResidualNetwork) {
    const Network network = lower(find_model("resnet20-cifar"));
    const std::vector<std::size_t> same(network.nodes.size(), 1024);
    const MemoryPlan plan = plan_memory(network, same);
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        EXPECT_EQ(plan.in_place[i], network.nodes[i].layer.residual) << network.nodes[i].name;
    }
}

TEST(MemoryPlan, IsEmptyForAnEmptyNetwork) {
    EXPECT_EQ(plan_memory({}, {}).bytes, 0u);
}

}  // namespace
}  // namespace hacscale
