#include "models/graph/graph_values.hpp"

#include <algorithm>
#include <cmath>

#include "models/ops/broadcast.hpp"

namespace hacscale {

std::vector<LayerWeights> random_weights(const Graph& graph, std::uint64_t seed) {
    std::vector<LayerWeights> weights;
    weights.reserve(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        weights.push_back(random_weights(graph.nodes[i].layer, seed + 1 + i));
    }
    return weights;
}

std::vector<LayerWeights> weights_of(const Network& network, std::uint64_t seed) {
    return network.weights.empty() ? random_weights(network.graph, seed) : network.weights;
}

namespace {

bool is_divisor(const Graph& graph, TensorId id) {
    return std::ranges::any_of(graph.nodes, [id](const Node& node) {
        return node.layer.kind == LayerKind::multiply && divides(node.layer.mode) && node.inputs[1] == id;
    });
}

}  // namespace

std::vector<std::vector<float>> random_inputs(const Graph& graph, int batch, std::uint64_t seed) {
    std::vector<std::vector<float>> inputs;
    for (const TensorId id : graph.inputs) {
        const auto elements = static_cast<std::size_t>(graph.tensors[id].elements());
        inputs.push_back(random_values(static_cast<std::size_t>(batch) * elements, seed + inputs.size()));
        if (!is_divisor(graph, id)) continue;
        for (float& value : inputs.back()) value += std::copysign(1.0F, value);
    }
    return inputs;
}

InputSamples random_samples(const Graph& graph) {
    constexpr std::uint64_t count = 8;
    InputSamples samples;
    for (std::uint64_t seed = 1; seed <= count; ++seed) samples.push_back(random_inputs(graph, 1, seed));
    return samples;
}

std::vector<std::vector<double>> reference_graph(const Graph& graph, int batch,
                                                 const std::vector<std::vector<float>>& inputs,
                                                 const std::vector<LayerWeights>& weights,
                                                 const ReferenceVisit& visit, const ForEach& each) {
    const std::vector<int> last = last_readers(graph);
    std::vector<std::vector<double>> values(graph.tensors.size());
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
        values[graph.inputs[i]].assign(inputs[i].begin(), inputs[i].end());
    }
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        ReferenceInputs read;
        for (const TensorId id : node.inputs) read.push_back(&values[id]);
        std::vector<double>& output = values[node.outputs.front()];
        output = reference_layer(node.layer, batch, read, weights[i], each);
        if (visit) visit(i, output);
        for (const TensorId id : node.inputs) {
            if (last[id] == static_cast<int>(i)) values[id] = {};
        }
    }
    std::vector<std::vector<double>> outputs;
    for (const TensorId id : graph.outputs) outputs.push_back(values[id]);
    return outputs;
}

}  // namespace hacscale
