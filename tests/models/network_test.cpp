// Networks as values: their fingerprints, and what is left of one without some of its nodes.
#include "models/graph/network.hpp"

#include <gtest/gtest.h>

#include <random>

#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

TEST(NetworkHash, IsThatOfTheModelOrElseOfTheGraphInAnyLayout) {
    Network network = find_network("resnet8-cifar");
    EXPECT_EQ(network_hash(network), model_hash(find_model("resnet8-cifar")));
    network.hash.clear();
    const std::string of_graph = network_hash(network);
    network.graph.set_layout(Layout::blocked);
    EXPECT_EQ(network_hash(network), of_graph);
    network.name = "another";
    EXPECT_EQ(network_hash(network), of_graph);
    network.graph.nodes[3].layer.activation = Activation::silu;
    EXPECT_NE(network_hash(network), of_graph);
}

// Each node that is left, with the same inputs, computes what it did in the whole network.
TEST(NetworkWithout, TheRestIsAGraphOfTheOtherNodes) {
    std::mt19937 random(1);
    for (const char* name : {"resnet8-cifar", "efficientnet-b0"}) {
        Network network = find_network(name);
        network.weights = random_weights(network.graph, 1);
        for (int round = 0; round < 20; ++round) {
            std::vector<bool> dropped;
            for (std::size_t i = 0; i < network.graph.nodes.size(); ++i) dropped.push_back(random() % 4 == 0);
            dropped.back() = false;
            const Network rest = without(network, dropped);
            EXPECT_EQ(validate(rest.graph), std::nullopt) << name;
            EXPECT_EQ(rest.weights.size(), rest.graph.nodes.size());
            std::size_t place = 0;
            for (std::size_t i = 0; i < dropped.size(); ++i) {
                if (dropped[i]) continue;
                EXPECT_EQ(rest.graph.nodes.at(place).name, network.graph.nodes[i].name);
                EXPECT_EQ(rest.graph.nodes[place].layer, network.graph.nodes[i].layer);
                EXPECT_EQ(rest.weights[place].weights, network.weights[i].weights);
                ++place;
            }
            EXPECT_EQ(place, rest.graph.nodes.size());
        }
        const Network all = without(network, std::vector<bool>(network.graph.nodes.size(), false));
        EXPECT_EQ(network_hash(all), network_hash({.name = "", .graph = network.graph}));
    }
}

}  // namespace
}  // namespace hacscale
