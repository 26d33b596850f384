// One layer as a network of its own, for timing and checking it alone.
#pragma once

#include "models/graph/network.hpp"

namespace hacscale {

// As NetworkNode::residual: the added tensor is a second input of the network, of the node's output shape.
constexpr int external_residual = -2;

inline Network single_layer(const LayerSpec& layer) {
    NetworkNode node;
    node.layer = layer;
    node.name = "layer";
    node.residual = external_residual;
    Network network;
    network.nodes.push_back(node);
    network.in_channels = layer.in_channels;
    network.resolution = layer.in_height;
    return network;
}

}  // namespace hacscale
