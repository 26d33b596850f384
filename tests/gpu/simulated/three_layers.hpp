// Small networks for tests that go through everything that may fail in one: a conv by cuDNN, a depthwise conv
// with candidates of both kinds, and a linear layer.
#pragma once

#include <gtest/gtest.h>

#include "kernels/backend/network_runner.hpp"
#include "models/graph/network.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"

namespace hacscale::testing {

// Another `variant` (0 to 99) is another shape of every layer.
inline Network three_layers(int variant) {
    const int height = 2 + variant / 10;
    const int width = 2 + variant % 10;
    LayerSpec conv;
    conv.in_channels = 3;
    conv.out_channels = 16;
    conv.in_height = height;
    conv.in_width = width;
    conv.kernel = 3;
    conv.padding = 1;
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

    Network network;
    for (const LayerSpec& layer : {conv, depthwise, linear}) {
        NetworkNode node;
        node.layer = layer;
        node.name = layer.key();
        node.input = static_cast<int>(network.nodes.size()) - 1;
        if (layer.residual) node.residual = node.input;
        network.nodes.push_back(node);
    }
    network.in_channels = 3;
    network.resolution = height;
    return network;
}

inline std::size_t input_elements(const Network& network) {
    const LayerSpec& first = network.nodes.front().layer;
    return static_cast<std::size_t>(first.in_channels) * first.in_height * first.in_width;
}

inline void expect_right(NetworkRunner& runner, const Network& network, int batch, DataType type) {
    const std::vector<LayerWeights> weights = random_weights(network, 3);
    const std::vector<float> input = random_values(batch * input_elements(network), 4);
    runner.load(weights);
    runner.set_input(input);
    runner.poison();
    runner.run();
    const auto expected = reference_network(network, batch, {input.begin(), input.end()}, weights);
    EXPECT_LT(relative_error(runner.output(), expected), layer_tolerance(type));
}

}  // namespace hacscale::testing
