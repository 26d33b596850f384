#include "models/graph/network.hpp"

#include <fmt/format.h>

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

}  // namespace hacscale
