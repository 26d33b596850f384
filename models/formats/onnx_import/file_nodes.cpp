#include <unordered_map>
#include <unordered_set>

#include "models/formats/onnx_import/onnx_import.hpp"

namespace hacscale {

std::vector<std::vector<std::string>> file_nodes(const onnx::Model& model, const Network& network) {
    std::unordered_map<std::string, const onnx::Node*> writers;
    for (const onnx::Node& node : model.graph.nodes) {
        for (const std::string& output : node.outputs) writers[output] = &node;
    }
    const std::unordered_set<std::string> borders(network.tensor_names.begin(), network.tensor_names.end());
    std::vector<std::vector<std::string>> names;
    for (const Node& layer : network.graph.nodes) {
        std::vector<std::string>& own = names.emplace_back();
        std::unordered_set<const onnx::Node*> seen;
        std::vector<std::string> open;
        if (!network.tensor_names.empty()) open = {network.tensor_names[layer.outputs.front()]};
        while (!open.empty()) {
            const auto writer = writers.find(open.back());
            open.pop_back();
            if (writer == writers.end() || !seen.insert(writer->second).second) continue;
            const onnx::Node& node = *writer->second;
            own.push_back(node.name.empty() ? "node_of_" + node.outputs.front() : node.name);
            for (const std::string& input : node.inputs) {
                if (!borders.contains(input)) open.push_back(input);
            }
        }
        if (own.empty()) own.push_back(layer.name);
    }
    return names;
}

}  // namespace hacscale
