#include "cli/commands.hpp"

#include <algorithm>
#include <array>

#include "models/formats/formats.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale::cli {

namespace {

records::Json layer_json(const ModelSpec& model, const Node& node, int batch, DataType type) {
    const LayerCost cost = cost_of(node.layer, 1, type);
    return {{"key", node.layer.key()},
            {"name", node.name},
            {"stage", stage_name(model, node.stage)},
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
    records::Json json = {
        {"name", node.name},
        {"input", network.source_of(node)},
        {"residual", layer.residual ? records::Json(network.source_of(node, 1)) : records::Json(nullptr)},
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
    const std::array<int, 2>& dilations = layer.window.dilations;
    if (dilations != Window().dilations) json["dilation"] = sides_json(dilations);
    return json;
}

}  // namespace

records::Json model_json(const ModelSpec& model, int batch, DataType type) {
    const Graph network = lower(model);
    records::Json layers = records::Json::array();
    records::Json graph = records::Json::array();
    for (const Node& node : network.nodes) {
        layers.push_back(layer_json(model, node, batch, type));
        graph.push_back(graph_node_json(network, node));
    }
    return {{"name", model.name},
            {"source", model.source},
            {"hash", model_hash(model)},
            {"in_channels", model.in_channels},
            {"resolution", model.resolution},
            {"classes", model.classes},
            {"params", network.params()},
            {"macs", network.macs()},
            {"activations", network.activations()},
            {"batch", batch},
            {"dtype", name_of(type)},
            {"bytes", network.bytes(batch, type)},
            {"layers", std::move(layers)},
            {"graph", std::move(graph)},
            {"yaml", to_yaml(model)}};
}

}  // namespace hacscale::cli
