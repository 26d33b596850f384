// Which operations of a runtime are of which layer, by their names, their values, and their order.
#include "kernels/runtimes/regions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::runtimes {
namespace {

using ::testing::ElementsAre;

LayerSpec conv(int in, int out) {
    LayerSpec layer;
    layer.in_channels = in;
    layer.out_channels = out;
    layer.in_height = layer.in_width = 4;
    return layer;
}

LayerSpec relu(int channels) {
    LayerSpec layer = conv(channels, channels);
    layer.kind = LayerKind::activation;
    layer.activation = Activation::relu;
    layer.bias = true;
    return layer;
}

// conv1 -> relu -> conv10 -> conv2
struct Chain {
    Chain() {
        graph.add_input(3, 4, 4);
        for (const auto& [name, layer] : {std::pair{"conv1", conv(3, 8)}, std::pair{"relu", relu(8)},
                                          std::pair{"conv10", conv(8, 8)}, std::pair{"conv2", conv(8, 16)}}) {
            Node node;
            node.layer = layer;
            node.name = name;
            node.inputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
            graph.add_node(node);
        }
        graph.outputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
        exported = export_for_runtime(graph, random_weights(graph, 1), 1);
    }

    const std::string& output_of(int layer) const {
        for (const ExportedNode& node : exported.nodes) {
            if (node.layer == layer) return node.outputs.front();
        }
        throw std::out_of_range("no such layer");
    }

    std::vector<int> layers(const std::vector<Operation>& operations) const {
        return Regions(graph, exported, operations).layers();
    }

    Graph graph;
    ExportedNetwork exported;
};

TEST(ExportedNetwork, HasTheBatchAndALayerForEachNode) {
    const Graph graph = lower(find_model("mobilenetv3-small-1.0"));
    const ExportedNetwork exported = export_for_runtime(graph, random_weights(graph, 1), 3);
    ASSERT_EQ(exported.inputs.size(), 1u);
    EXPECT_THAT(exported.inputs[0].sizes, ElementsAre(3, 3, 224, 224));
    EXPECT_EQ(exported.inputs[0].elements, 3u * 3 * 224 * 224);
    std::vector<int> nodes(graph.nodes.size(), 0);
    for (const ExportedNode& node : exported.nodes) {
        ASSERT_GE(node.layer, 0) << node.name;
        ASSERT_LT(node.layer, static_cast<int>(nodes.size())) << node.name;
        ++nodes[node.layer];
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) EXPECT_GT(nodes[i], 0) << graph.nodes[i].name;
}

TEST(Regions, ANameBeginsWithThatOfItsNode) {
    const Chain chain;
    EXPECT_THAT(
        chain.layers({{"conv1", "Conv"}, {"relu", "Relu"}, {"conv10_nchwc", "Conv"}, {"conv2/X", "Conv"}}),
        ElementsAre(0, 1, 2, 3));
}

TEST(Regions, AReorderBelongsToWhatItPreparesOrToWhatWrote) {
    const Chain chain;
    EXPECT_THAT(chain.layers({{"conv1_nchwc", "Conv", {"input"}, {"a"}},
                              {"ReorderOutput", "ReorderOutput", {"a"}, {chain.output_of(0)}},
                              {"relu", "Relu", {chain.output_of(0)}, {"b"}},
                              {"ReorderInput", "ReorderInput", {"b"}, {"c"}, true},
                              {"conv10_nchwc", "Conv", {"c"}, {"d"}},
                              {"conv2_nchwc", "Conv", {"d"}, {"e"}},
                              {"ReorderOutput_token_1", "ReorderOutput", {"e"}, {"f"}}}),
                ElementsAre(0, 0, 1, 2, 2, 3, 3));
    EXPECT_THAT(chain.layers({{"conv1", "Conv"},
                              {"relu", "Relu"},
                              {"relu_abcd_acdb_conv10/WithoutBiases", "Reorder", {}, {}, true},
                              {"conv10", "Conv"},
                              {"conv2", "Conv"}}),
                ElementsAre(0, 1, 2, 2, 3));
}

TEST(Regions, WithoutAnyNameTheRunningOrderSaysIt) {
    const Chain chain;
    EXPECT_THAT(chain.layers({{"conv1", "Conv"},
                              {"MVN_7", "MVN"},
                              {"Subgraph_8", "Subgraph"},
                              {"conv10", "Conv"},
                              {"Reorder_9", "Reorder"},
                              {"conv2", "Conv"},
                              {"Last_10", "Softmax"}}),
                ElementsAre(0, 1, 1, 2, 2, 3, 3));
    EXPECT_THAT(chain.layers({{"a", "A"}, {"b", "B"}, {"c", "C"}, {"d", "D"}}), ElementsAre(0, 1, 2, 3));
}

TEST(Regions, WhatIsFusedTakesNoTimeUnlessItMultiplies) {
    const Chain chain;
    const Regions fused(chain.graph, chain.exported,
                        {{"conv1", "Conv"}, {"conv10", "Conv"}, {"conv2", "Conv"}});
    EXPECT_THAT(fused.layer_us(std::vector{10.0, 20.0, 30.0}), ElementsAre(10.0, 0.0, 20.0, 30.0));
    EXPECT_THAT(fused.operations(), ElementsAre(1, 0, 1, 1));
    EXPECT_EQ(fused.implementation(0), "Conv");
    EXPECT_EQ(fused.implementation(1), "within conv1");
    // conv10 multiplies 8 x 8 channels, conv2 8 x 16.
    const Regions both(chain.graph, chain.exported,
                       {{"conv1", "Conv"}, {"relu", "Relu"}, {"conv10", "Conv"}});
    EXPECT_THAT(both.layer_us(std::vector{10.0, 1.0, 30.0}), ElementsAre(10.0, 1.0, 10.0, 20.0));
}

TEST(Regions, AProductIsOfTheLayerThatMultiplies) {
    const Chain chain;
    // ReLU stands for a norm that the runtime folds into the conv in front of it.
    EXPECT_THAT(chain.layers({{"relu", "Conv (blocked)"}, {"conv10", "Conv"}, {"conv2", "Conv"}}),
                ElementsAre(0, 2, 3));
    EXPECT_THAT(chain.layers({{"conv1", "Conv"}, {"relu", "Conv"}, {"conv10", "Conv"}, {"conv2", "Conv"}}),
                ElementsAre(0, 1, 2, 3))
        << "a norm may be a product of its own";
}

// Whatever operations there are, their times add up to those of the layers.
TEST(Regions, LoseNoTime) {
    std::mt19937 generator(5);
    const Graph graph = lower(find_model("mobilenetv3-small-1.0"));
    const ExportedNetwork exported = export_for_runtime(graph, random_weights(graph, 1), 1);
    for (int round = 0; round < 200; ++round) {
        std::vector<Operation> operations;
        std::vector<double> operation_us;
        for (const ExportedNode& node : exported.nodes) {
            const auto kind = generator() % 6;
            if (kind == 0) continue;  // fused
            Operation operation{node.name, node.name, node.inputs, node.outputs};
            if (kind == 1) operation.name = "Fused_" + std::to_string(generator() % 100);
            if (kind == 2) operation = {"Reorder", "Reorder", {}, {}, generator() % 2 == 0};
            if (kind == 3) operation.outputs = {"renamed" + std::to_string(generator() % 100)};
            operations.push_back(operation);
            operation_us.push_back(1.0 + static_cast<double>(generator() % 50));
        }
        const Regions regions(graph, exported, operations);
        const std::vector<double> layer_us = regions.layer_us(operation_us);
        ASSERT_EQ(layer_us.size(), graph.nodes.size());
        EXPECT_NEAR(std::accumulate(layer_us.begin(), layer_us.end(), 0.0),
                    std::accumulate(operation_us.begin(), operation_us.end(), 0.0), 1e-6);
        EXPECT_EQ(std::accumulate(regions.operations().begin(), regions.operations().end(), 0),
                  static_cast<int>(operations.size()));
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            EXPECT_FALSE(regions.implementation(static_cast<int>(i)).empty());
        }
    }
}

}  // namespace
}  // namespace hacscale::runtimes
