// A block of a network that passes on what it reads, so that it can be added without changing what the network computes.
#pragma once

#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::detail {

struct Identity {
    std::vector<int> zeroed;  // nodes whose weights and biases are zeros: what the block adds to its input
    std::vector<int>
        copying;  // nodes that copy their input: a conv with a one in the middle (Chen et al. 2016, Net2DeeperNet)
    std::string reason;  // why the block cannot be one; empty where it is
};

// Whether nodes [begin, end), which read one tensor from outside and put out one, can be an identity; `weights`, one entry a node of the
// graph, are changed so that they are, and stay as they were where they cannot.
Identity make_identity(const Graph& graph, int begin, int end, std::vector<LayerWeights>& weights);

}  // namespace hacscale::detail
