#include "cli/commands.hpp"

#include <algorithm>
#include <array>

#include "models/formats/formats.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale::cli {

namespace {

records::Json layer_json(const std::string& stage, const Node& node, int batch, DataType type) {
    const LayerCost cost = cost_of(node.layer, 1, type);
    return {{"key", node.layer.key()},
            {"name", node.name},
            {"stage", stage},
            {"macs", cost.macs},
            {"params", node.learned_params},
            {"activations", cost.activations},
            {"bytes", cost_of(node.layer, batch, type).bytes}};
}

// One number where all sides have it, else a list: height and width, or top, left, bottom and right.
template <std::size_t N>
records::Json sides_json(const std::array<int, N>& sides) {
    const bool equal = std::ranges::all_of(sides, [&](int side) { return side == sides[0]; });
    return equal ? records::Json(sides[0]) : records::Json(sides);
}

// Every field of the layer, and which nodes it reads: an index into this array, -1 for the network's input,
// null for no residual.
records::Json graph_node_json(const Graph& network, const Node& node) {
    const LayerSpec& layer = node.layer;
    records::Json json = {{"name", node.name},
                          {"input", network.source_of(node)},
                          {"residual", layer.residual ? records::Json(network.source_of(node, layer.inputs))
                                                      : records::Json(nullptr)},
                          {"kind", name_of(layer.kind)},
                          {"activation", name_of(layer.activation)},
                          {"gate", name_of(layer.gate)},
                          {"bias", layer.bias},
                          {"in_channels", layer.in_channels},
                          {"in_height", layer.in_height},
                          {"in_width", layer.in_width},
                          {"out_channels", layer.out_channels},
                          {"out_height", layer.out_height()},
                          {"out_width", layer.out_width()},
                          {"kernel", sides_json(layer.window.kernel)},
                          {"stride", sides_json(layer.window.strides)},
                          {"padding", sides_json(layer.window.pads)},
                          {"groups", layer.groups},
                          {"squeeze_channels", layer.squeeze_channels},
                          {"layout", name_of(layer.layout)},
                          {"learned_params", node.learned_params}};
    if (layer.inputs > 1) {
        for (std::size_t i = 0; i < node.inputs.size(); ++i)
            json["inputs"].push_back(network.source_of(node, i));
    }
    const std::array<int, 2>& dilations = layer.window.dilations;
    if (dilations != Window().dilations) json["dilation"] = sides_json(dilations);
    return json;
}

struct NodesJson {
    records::Json layers = records::Json::array();
    records::Json graph = records::Json::array();
};

template <typename StageName>
NodesJson nodes_json(const Graph& network, int batch, DataType type, const StageName& stage_name_of) {
    NodesJson json;
    for (const Node& node : network.nodes) {
        json.layers.push_back(layer_json(stage_name_of(node), node, batch, type));
        json.graph.push_back(graph_node_json(network, node));
    }
    return json;
}

}  // namespace

records::Json model_json(const ModelSpec& model, int batch, DataType type) {
    const Graph network = lower(model);
    NodesJson nodes = nodes_json(network, batch, type,
                                 [&model](const Node& node) { return stage_name(model, node.stage); });
    return {{"name", model.name},
            {"source", model.source},
            {"hash", model_hash(model)},
            {"in_channels", model.in_channels},
            {"resolution", model.resolution},
            {"resolution_width", model.input_pixels_across()},
            {"classes", model.classes},
            {"params", network.params()},
            {"macs", network.macs()},
            {"activations", network.activations()},
            {"batch", batch},
            {"dtype", name_of(type)},
            {"bytes", network.bytes(batch, type)},
            {"layers", std::move(nodes.layers)},
            {"graph", std::move(nodes.graph)},
            {"yaml", to_yaml(model)}};
}

records::Json model_json(const Network& network, int batch, DataType type) {
    const Graph& graph = network.graph;
    NodesJson nodes = nodes_json(graph, batch, type, [](const Node&) { return ""; });
    const auto sizes = [&graph](const std::vector<TensorId>& ids) {
        records::Json list = records::Json::array();
        for (const TensorId id : ids) {
            const Tensor& tensor = graph.tensors[id];
            list.push_back({tensor.channels, tensor.height, tensor.width});
        }
        return list;
    };
    return {{"name", network.name},
            {"hash", network_hash(network)},
            {"inputs", sizes(graph.inputs)},
            {"outputs", sizes(graph.outputs)},
            {"params", graph.params()},
            {"macs", graph.macs()},
            {"activations", graph.activations()},
            {"batch", batch},
            {"dtype", name_of(type)},
            {"bytes", graph.bytes(batch, type)},
            {"layers", std::move(nodes.layers)},
            {"graph", std::move(nodes.graph)},
            {"left_out", network.left_out},
            {"left_out_macs", network.left_out_macs},
            {"left_out_elements", network.left_out_elements}};
}

}  // namespace hacscale::cli
