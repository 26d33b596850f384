// A network as commands take it: its graph, its name in tables and reports, and its weights where it has its own.
#pragma once

#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale {

struct Network {
    std::string name;
    Graph graph;
    // One entry a node; empty where the network came without weights, and then it runs with random ones.
    std::vector<LayerWeights> weights{};
    // What the file that it came from computes beyond these layers, a sentence each; empty where the network is whole.
    std::vector<std::string> left_out{};
};

}  // namespace hacscale
