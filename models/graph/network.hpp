// A network as commands take it: its graph, its name in tables and reports, and its weights where it has its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale {

// Of inputs by name: their sizes with or without the batch. Inputs that the file gives sizes of numbers need none.
using InputShapes = std::map<std::string, std::vector<std::int64_t>>;

struct Network {
    std::string name;
    std::string hash{};  // of a model with stages, its model_hash(); see network_hash()
    Graph graph;
    // One entry a node; empty where the network came without weights, and then it runs with random ones.
    std::vector<LayerWeights> weights{};
    // Nodes of its file that no layer computes, each with the reason: `node "/head/Reshape" (Reshape): ...`. Empty where the
    // network is whole.
    std::vector<std::string> left_out{};
    // What these nodes compute: multiplies of convs, linear layers and products, and the elements that they write.
    std::int64_t left_out_macs = 0;
    std::int64_t left_out_elements = 0;
    // One entry a node: the file's learned tensors that its weights are made of, also those of other modules that were folded into
    // it; empty where it came from none.
    std::vector<std::vector<std::string>> parameter_names{};
    // Of graph.inputs and graph.outputs, as its file has them; empty where it came from none.
    std::vector<std::string> input_names{};
    std::vector<std::string> output_names{};
    // Of graph.tensors, the values of the file that have their numbers; empty where it came from none.
    std::vector<std::string> tensor_names{};
    // Of graph.outputs, whether its file has them as N x features, not as maps of one pixel; empty where it came from none.
    std::vector<bool> vector_outputs{};
};

// Stable fingerprint of what the network computes, its name and weights left out: its `hash`, or else that of its graph.
// The layout belongs to a run, not to a network, so it does not count.
std::string network_hash(const Network& network);

// The network without these nodes, one entry a node; the others keep their order, names and weights. What a dropped node wrote
// becomes an input where another node reads it, and what it read becomes an output. Names of inputs, outputs, tensors and parameters
// are lost.
Network without(const Network& network, const std::vector<bool>& dropped);

}  // namespace hacscale
