#include "models/graph/network.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/hash.hpp"

namespace hacscale {

std::string network_hash(const Network& network) {
    if (!network.hash.empty()) return network.hash;
    const Graph& graph = network.graph;
    std::string content;
    for (const TensorId input : graph.inputs) {
        const Tensor& tensor = graph.tensors[input];
        content += fmt::format("{}x{}x{}\n", tensor.channels, tensor.height, tensor.width);
    }
    for (const Node& node : graph.nodes) {
        LayerSpec layer = node.layer;
        layer.layout = LayerSpec{}.layout;
        content += layer.key();
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            content += fmt::format(" {}", graph.source_of(node, i));
        }
        content += '\n';
    }
    for (const TensorId output : graph.outputs) content += fmt::format("{}\n", output);
    return hex_hash(content);
}

Network without(const Network& network, const std::vector<bool>& dropped) {
    const Graph& graph = network.graph;
    Network rest{.name = network.name, .graph = {}};
    constexpr TensorId none = -1;
    std::vector<TensorId> known(graph.tensors.size(), none);  // what each tensor is in the rest
    const auto is_dropped = [&](std::size_t node) { return dropped[node]; };
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (is_dropped(i)) continue;
        for (const TensorId id : graph.nodes[i].inputs) {
            const Tensor& tensor = graph.tensors[id];
            const bool written =
                tensor.producer != no_node && !is_dropped(static_cast<std::size_t>(tensor.producer));
            if (written || known[id] != none) continue;
            known[id] = rest.graph.add_input(tensor.channels, tensor.height, tensor.width);
        }
    }
    std::vector<bool> leaves(graph.tensors.size(), false);  // is read by a dropped node, or an output
    for (const TensorId id : graph.outputs) leaves[id] = true;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (!is_dropped(i)) continue;
        for (const TensorId id : graph.nodes[i].inputs) leaves[id] = true;
    }
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (is_dropped(i)) continue;
        Node node = graph.nodes[i];
        const TensorId output = node.outputs.front();
        node.inputs = {};
        node.outputs = {};
        for (const TensorId id : graph.nodes[i].inputs) node.inputs.push_back(known[id]);
        known[output] = rest.graph.add_node(std::move(node));
        if (leaves[output]) rest.graph.outputs.push_back(known[output]);
        if (!network.weights.empty()) rest.weights.push_back(network.weights[i]);
    }
    return rest;
}

}  // namespace hacscale
