#include "models/graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

LayerCost cost_at_batch_1(const Node& node) {
    return cost_of(node.layer, 1, DataType::f32);
}

std::string shape_text(int channels, int height, int width) {
    return fmt::format("{}x{}x{}", channels, height, width);
}

// Goes through the nodes in running order; each of its functions returns the first fault that it finds.
class Validation {
public:
    explicit Validation(const Graph& graph) : graph_(graph), written_(graph.tensors.size(), false) {}

    std::optional<std::string> run() {
        if (graph_.nodes.empty()) return "the graph has no nodes";
        if (auto fault = inputs()) return fault;
        for (int i = 0; i < std::ssize(graph_.nodes); ++i) {
            const Node& node = graph_.nodes[i];
            auto fault = layer_of(node);
            if (!fault) fault = outputs_of(node, i);
            if (fault) {
                return fmt::format("node {} ({}): {}", i, node.name.empty() ? node.layer.key() : node.name,
                                   *fault);
            }
        }
        return outputs();
    }

private:
    bool known(TensorId id) const { return id >= 0 && id < std::ssize(graph_.tensors); }

    std::optional<std::string> inputs() {
        for (const TensorId id : graph_.inputs) {
            if (!known(id)) return fmt::format("input {} of the graph is no tensor", id);
            if (written_[id]) return fmt::format("tensor {} is listed twice among the graph's inputs", id);
            if (graph_.tensors[id].producer != no_node) {
                return fmt::format("tensor {} is an input of the graph and has a producer", id);
            }
            written_[id] = true;
        }
        return std::nullopt;
    }

    std::optional<std::string> layer_of(const Node& node) const {
        const LayerSpec& layer = node.layer;
        if (auto fault = validate(layer)) return fault;
        if (node.inputs.size() != Node::inputs_of(layer)) {
            return fmt::format("it reads {} tensors, the layer {} takes {}", node.inputs.size(), layer.key(),
                               Node::inputs_of(layer));
        }
        for (const TensorId id : node.inputs) {
            if (!known(id)) return fmt::format("it reads tensor {}, which there is not", id);
            if (!written_[id]) {
                return fmt::format("it reads tensor {}, which no input and no earlier node gives", id);
            }
        }
        if (auto fault = data_inputs_of(node)) return "it reads " + *fault;
        if (!layer.residual) return std::nullopt;
        if (auto fault =
                shape_of(node.residual_input(), layer.out_channels, layer.out_height(), layer.out_width())) {
            return "it adds " + *fault;
        }
        return std::nullopt;
    }

    std::optional<std::string> data_inputs_of(const Node& node) const {
        const LayerSpec& layer = node.layer;
        const Operator& op = operator_of(layer.kind);
        std::int64_t channels = 0;
        for (int i = 0; i < layer.inputs; ++i) {
            const Tensor& tensor = graph_.tensors[node.inputs[i]];
            MapSize wanted = op.input_shape(layer, i);
            if (op.shares_channels) wanted.channels = tensor.channels;
            channels += tensor.channels;
            if (auto fault = shape_of(node.inputs[i], wanted.channels, wanted.height, wanted.width))
                return fault;
        }
        if (!op.shares_channels || channels == layer.in_channels) return std::nullopt;
        return fmt::format("tensors of {} channels together, the layer has {}", channels, layer.in_channels);
    }

    std::optional<std::string> outputs_of(const Node& node, int index) {
        if (node.outputs.size() != 1) {
            return fmt::format("it writes {} tensors, its layer gives 1", node.outputs.size());
        }
        const TensorId id = node.outputs.front();
        if (!known(id)) return fmt::format("it writes tensor {}, which there is not", id);
        if (written_[id]) return fmt::format("it writes tensor {}, which has another producer", id);
        if (graph_.tensors[id].producer != index) {
            return fmt::format("it writes tensor {}, whose producer is said to be node {}", id,
                               graph_.tensors[id].producer);
        }
        written_[id] = true;
        const LayerSpec& layer = node.layer;
        if (auto fault = shape_of(id, layer.out_channels, layer.out_height(), layer.out_width())) {
            return "it writes " + *fault;
        }
        return std::nullopt;
    }

    std::optional<std::string> outputs() const {
        if (graph_.outputs.empty()) return "the graph has no output";
        for (const TensorId id : graph_.outputs) {
            if (!known(id)) return fmt::format("output {} of the graph is no tensor", id);
            if (graph_.tensors[id].producer == no_node) {
                return fmt::format("tensor {} is an output of the graph, but no node writes it", id);
            }
        }
        const auto unwritten = std::find(written_.begin(), written_.end(), false);
        if (unwritten == written_.end()) return std::nullopt;
        return fmt::format("tensor {} has no producer and is no input of the graph",
                           unwritten - written_.begin());
    }

    // The shape that the layer wants.
    std::optional<std::string> shape_of(TensorId id, int channels, int height, int width) const {
        const Tensor& tensor = graph_.tensors[id];
        if (tensor.channels == channels && tensor.height == height && tensor.width == width)
            return std::nullopt;
        return fmt::format("tensor {} of {}, the layer has {} there", id,
                           shape_text(tensor.channels, tensor.height, tensor.width),
                           shape_text(channels, height, width));
    }

    const Graph& graph_;
    std::vector<bool> written_;  // by the graph's inputs and the nodes so far
};

}  // namespace

TensorId Graph::add_input(int channels, int height, int width) {
    tensors.push_back({channels, height, width, no_node});
    inputs.push_back(static_cast<TensorId>(tensors.size()) - 1);
    return inputs.back();
}

TensorId Graph::add_node(Node node) {
    const LayerSpec& layer = node.layer;
    const auto output = static_cast<TensorId>(tensors.size());
    tensors.push_back(
        {layer.out_channels, layer.out_height(), layer.out_width(), static_cast<int>(nodes.size())});
    node.outputs = {output};
    nodes.push_back(std::move(node));
    return output;
}

int Graph::source_of(const Node& node, std::size_t i) const {
    const int producer = producer_of(node, i);
    if (producer != no_node) return producer;
    return -1 - static_cast<int>(std::find(inputs.begin(), inputs.end(), node.inputs[i]) - inputs.begin());
}

LearnedOffsets learned_offsets(const Node& node) {
    const std::int64_t each =
        (node.learned_params - product_weights(node.layer)) / std::max(node.layer.out_channels, 1);
    return {each % 2 == 1, each >= 2};
}

std::int64_t Graph::params() const {
    std::int64_t sum = 0;
    for (const Node& node : nodes) sum += node.learned_params;
    return sum;
}

std::int64_t Graph::macs() const {
    std::int64_t sum = 0;
    for (const Node& node : nodes) sum += cost_at_batch_1(node).macs;
    return sum;
}

std::int64_t Graph::activations() const {
    std::int64_t sum = 0;
    for (const Node& node : nodes) sum += cost_at_batch_1(node).activations;
    return sum;
}

std::int64_t Graph::bytes(int batch, DataType type) const {
    std::int64_t sum = 0;
    for (const Node& node : nodes) sum += cost_of(node.layer, batch, type).bytes;
    return sum;
}

std::int64_t Graph::weight_bytes(DataType type) const {
    std::int64_t sum = 0;
    for (const Node& node : nodes) sum += cost_at_batch_1(node).params;
    return sum * static_cast<std::int64_t>(size_of(type));
}

std::int64_t Graph::peak_activation_bytes(int batch, DataType type) const {
    std::int64_t peak = 0;
    for (const TensorId id : inputs) peak += tensors[id].elements();
    for (const std::int64_t alive : alive_activations(*this)) peak = std::max(peak, alive);
    return peak * batch * static_cast<std::int64_t>(size_of(type));
}

Graph single_layer(const LayerSpec& layer) {
    Graph graph;
    Node node;
    node.layer = layer;
    node.name = "layer";
    const Operator& op = operator_of(layer.kind);
    for (int i = 0; i < layer.inputs; ++i) {
        const MapSize shape = op.input_shape(layer, i);
        node.inputs.push_back(graph.add_input(shape.channels, shape.height, shape.width));
    }
    if (layer.residual) {
        node.inputs.push_back(graph.add_input(layer.out_channels, layer.out_height(), layer.out_width()));
    }
    graph.outputs = {graph.add_node(std::move(node))};
    return graph;
}

std::optional<std::string> validate(const Graph& graph) {
    return Validation(graph).run();
}

std::vector<int> last_readers(const Graph& graph) {
    std::vector<int> last(graph.tensors.size(), no_node);
    for (int i = 0; i < std::ssize(graph.nodes); ++i) {
        for (const TensorId id : graph.nodes[i].outputs) last[id] = i;
        for (const TensorId id : graph.nodes[i].inputs) last[id] = i;
    }
    for (const TensorId id : graph.outputs) last[id] = static_cast<int>(graph.nodes.size());
    return last;
}

std::vector<std::int64_t> alive_activations(const Graph& graph) {
    const std::vector<int> last = last_readers(graph);
    std::vector<std::int64_t> freed_after(graph.nodes.size() + 1,
                                          0);  // elements, by the node that needs them last
    std::int64_t alive = 0;
    for (std::size_t id = 0; id < graph.tensors.size(); ++id) {
        if (graph.tensors[id].producer == no_node) alive += graph.tensors[id].elements();
        if (last[id] != no_node) freed_after[last[id]] += graph.tensors[id].elements();
    }
    std::vector<std::int64_t> while_running;
    while_running.reserve(graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        for (const TensorId id : graph.nodes[i].outputs) alive += graph.tensors[id].elements();
        while_running.push_back(alive);
        alive -= freed_after[i];
    }
    return while_running;
}

}  // namespace hacscale
