// Small networks for tests that go through everything that may fail in one: a conv by cuDNN, a depthwise conv
// with candidates of both kinds, and a linear layer.
#pragma once

#include <gtest/gtest.h>

#include "kernels/backend/network_runner.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"

namespace hacscale::testing {

// Another `variant` (0 to 99) is another shape of every layer.
inline Graph three_layers(int variant) {
    const int height = 2 + variant / 10;
    const int width = 2 + variant % 10;
    LayerSpec conv;
    conv.in_channels = 3;
    conv.out_channels = 16;
    conv.in_height = height;
    conv.in_width = width;
    conv.window = Window::square(3, 1, 1);
    conv.activation = Activation::hard_swish;
    LayerSpec depthwise = conv;
    depthwise.in_channels = depthwise.groups = 16;
    depthwise.residual = true;
    depthwise.activation = Activation::relu;
    LayerSpec linear;
    linear.kind = LayerKind::linear;
    linear.in_channels = 16;
    linear.in_height = height;
    linear.in_width = width;
    linear.out_channels = 10;

    Graph network;
    TensorId here = network.add_input(3, height, width);
    for (const LayerSpec& layer : {conv, depthwise, linear}) {
        Node node;
        node.layer = layer;
        node.name = layer.key();
        node.inputs = {here};
        if (layer.residual) node.inputs.push_back(here);
        here = network.add_node(std::move(node));
    }
    network.outputs = {here};
    return network;
}

inline void expect_right(NetworkRunner& runner, const Graph& network, int batch, DataType type) {
    const std::vector<LayerWeights> weights = random_weights(network, 3);
    const std::vector<std::vector<float>> inputs = random_inputs(network, batch, 4);
    runner.load(weights);
    set_inputs(runner, inputs);
    runner.poison();
    runner.run();
    const auto expected = reference_graph(network, batch, inputs, weights).front();
    EXPECT_LT(relative_error(runner.output(0), expected), layer_tolerance(type));
}

}  // namespace hacscale::testing
