#include "models/formats/onnx_export/onnx_export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_export/detail/layer_export.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

using detail::LayerExport;
using detail::OnnxWriter;

// In the order of LayerKind.
constexpr detail::LayerRule layer_rules[]{
    detail::write_conv,
    detail::write_max_pool,
    detail::write_global_avg_pool,
    detail::write_linear,
    detail::write_squeeze_excite,
    detail::write_scale_shift,
    detail::write_avg_pool,
    detail::write_standalone_activation,
    detail::write_add,
    detail::write_multiply,
    detail::write_concat,
    detail::write_slice,
    detail::write_pad,
    detail::write_resize,
    detail::write_layer_norm,
    detail::write_group_norm,
    detail::write_grn,
    detail::write_channel_shuffle,
    detail::write_pixel_shuffle,
    detail::write_space_to_depth,
    detail::write_prelu,
    detail::write_eca,
    detail::write_transposed_conv,
    detail::write_reshape,
    detail::write_permute,
    detail::write_matmul,
    detail::write_softmax,
    detail::write_map_bias,
    detail::write_map_scale,
};

static_assert(std::size(layer_rules) == operator_table.size(), "each kind of layer has a rule");

// Whose output an activation can be fused to.
bool has_fused_activation(LayerKind kind) {
    constexpr std::array kinds{LayerKind::conv,       LayerKind::linear,   LayerKind::transposed_conv,
                               LayerKind::add,        LayerKind::multiply, LayerKind::scale_shift,
                               LayerKind::group_norm, LayerKind::map_bias, LayerKind::map_scale};
    return std::ranges::find(kinds, kind) != kinds.end();
}

// Kinds that compute a vector of vectors (N C) as they compute a map of maps (N C H W).
bool takes_vectors(const LayerSpec& layer) {
    constexpr std::array kinds{LayerKind::activation,  LayerKind::add,    LayerKind::multiply,
                               LayerKind::scale_shift, LayerKind::concat, LayerKind::slice,
                               LayerKind::layer_norm,  LayerKind::prelu};
    return std::ranges::find(kinds, layer.kind) != kinds.end();
}

// The IR version that came with each opset (ONNX's docs/Versioning.md), so that programs of that time read the file.
std::int64_t ir_version_of(std::int64_t opset) {
    constexpr std::array<std::int64_t, 13> versions{4, 5, 6, 7, 7, 7, 8, 8, 8, 8, 9, 9, 10};
    return versions[static_cast<std::size_t>(opset - onnx::min_opset)];
}

class NetworkExport {
public:
    NetworkExport(const Network& network, onnx::Graph& result, std::int64_t opset)
        : network_(network), graph_(network.graph), result_(result), writer_(result, opset) {
        values_.resize(graph_.tensors.size());
        is_vector_.resize(graph_.tensors.size());
        maps_.resize(graph_.tensors.size());
        vectors_.resize(graph_.tensors.size());
    }

    void run() {
        name_inputs();
        name_outputs();
        std::vector<std::string> names;
        for (const Node& node : graph_.nodes) {
            const std::string name =
                node.name.empty() ? fmt::format("{}_{}", name_of(node.layer.kind), names.size()) : node.name;
            names.push_back(writer_.node_name(name));
        }
        for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
            write(graph_.nodes[i], network_.weights[i], names[i]);
            layers_.resize(result_.nodes.size(), static_cast<int>(i));
        }
        add_outputs();
    }

    // Of each node that was written.
    std::vector<int> take_layers() { return std::move(layers_); }

private:
    // ---- Inputs and outputs ----

    void name_inputs() {
        for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
            const TensorId id = graph_.inputs[i];
            is_vector_[id] = is_read_as_vector(id);
            values_[id] = writer_.value_name(i < network_.input_names.size() ? network_.input_names[i]
                                             : graph_.inputs.size() == 1     ? "input"
                                                                             : fmt::format("input{}", i + 1));
            result_.inputs.push_back(info_of(values_[id], id, is_vector_[id]));
        }
    }

    void name_outputs() {
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            output_names_.push_back(
                writer_.value_name(i < network_.output_names.size() ? network_.output_names[i]
                                   : graph_.outputs.size() == 1     ? "output"
                                                                    : fmt::format("output{}", i + 1)));
        }
    }

    bool is_read_as_vector(TensorId id) const {
        const Tensor& tensor = graph_.tensors[id];
        bool read = false;
        bool by_others = tensor.height * tensor.width != 1;
        for (const Node& node : graph_.nodes) {
            for (const TensorId input : node.inputs) {
                read = read || input == id;
                by_others = by_others || (input == id && node.layer.kind != LayerKind::linear);
            }
        }
        return read && !by_others;
    }

    onnx::ValueInfo info_of(const std::string& value, TensorId id, bool is_vector) const {
        const Tensor& tensor = graph_.tensors[id];
        std::vector<onnx::Dimension> shape{{std::nullopt, "batch"}, {tensor.channels, ""}};
        if (!is_vector) {
            shape.push_back({tensor.height, ""});
            shape.push_back({tensor.width, ""});
        }
        return {value, onnx::DataType::float32, std::move(shape)};
    }

    // Of an output of one pixel, whether the network's file has no axes for it.
    bool wants_vector(std::size_t output) const {
        const Tensor& tensor = graph_.tensors[graph_.outputs[output]];
        return output < network_.vector_outputs.size() && network_.vector_outputs[output] &&
               tensor.height * tensor.width == 1;
    }

    // The first output of a tensor that a node writes is that node's; others are copies.
    void add_outputs() {
        for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
            const TensorId id = graph_.outputs[i];
            const bool flattened = wants_vector(i) && !is_vector_[id];
            if (flattened) {
                writer_.add(writer_.node_name(output_names_[i]), "Flatten", {values_[id]},
                            {{"axis", std::int64_t{1}}});
                writer_.rename_last(output_names_[i]);
            } else if (values_[id] != output_names_[i]) {
                writer_.add(writer_.node_name(output_names_[i]), "Identity", {values_[id]}, {});
                writer_.rename_last(output_names_[i]);
            }
            layers_.resize(result_.nodes.size(), graph_.tensors[id].producer);
            result_.outputs.push_back(info_of(output_names_[i], id, flattened || is_vector_[id]));
        }
    }

    // ---- Layers ----

    void write(const Node& node, const LayerWeights& weights, const std::string& name) {
        const bool vectors = takes_vectors(node.layer) && std::ranges::all_of(node.inputs, [&](TensorId id) {
                                 return static_cast<bool>(is_vector_[id]);
                             });
        const bool linear = node.layer.kind == LayerKind::linear;
        std::vector<std::string> inputs;
        for (const TensorId id : node.inputs)
            inputs.push_back(linear || vectors ? as_vector(id) : as_map(id));
        LayerExport out{writer_, node, weights, name, std::move(inputs), vectors};
        std::string value = layer_rules[static_cast<std::size_t>(node.layer.kind)](out);
        if (has_fused_activation(node.layer.kind)) {
            value = detail::write_curve(out, node.layer.activation, node.layer.alpha, value);
        }
        const TensorId output = node.outputs.front();
        is_vector_[output] = linear || vectors;
        const auto place = std::ranges::find(graph_.outputs, output);
        if (place != graph_.outputs.end() &&
            (is_vector_[output] || !wants_vector(static_cast<std::size_t>(place - graph_.outputs.begin())))) {
            value = output_names_[static_cast<std::size_t>(place - graph_.outputs.begin())];
            writer_.rename_last(value);
        }
        values_[output] = value;
    }

    // N x features.
    const std::string& as_vector(TensorId id) {
        if (is_vector_[id]) return values_[id];
        if (vectors_[id].empty()) {
            vectors_[id] = writer_.add(writer_.node_name(values_[id] + "/Flatten"), "Flatten", {values_[id]},
                                       {{"axis", std::int64_t{1}}});
        }
        return vectors_[id];
    }

    // N C H W.
    const std::string& as_map(TensorId id) {
        if (!is_vector_[id]) return values_[id];
        if (maps_[id].empty()) {
            const std::string shape = writer_.integers({0, graph_.tensors[id].channels, 1, 1});
            maps_[id] =
                writer_.add(writer_.node_name(values_[id] + "/Reshape"), "Reshape", {values_[id], shape}, {});
        }
        return maps_[id];
    }

    const Network& network_;
    const Graph& graph_;
    onnx::Graph& result_;
    OnnxWriter writer_;
    // Of each tensor of the graph.
    std::vector<std::string> values_;
    std::vector<bool> is_vector_;       // N C; others are N C H W
    std::vector<std::string> maps_;     // vectors as maps of one pixel; empty where nobody reads them so
    std::vector<std::string> vectors_;  // maps as vectors; the same
    std::vector<std::string> output_names_;
    std::vector<int> layers_;
};

}  // namespace

TracedExport export_onnx_traced(const Network& network, std::int64_t opset) {
    if (opset < onnx::min_opset || opset > onnx::max_opset) {
        throw InputError(fmt::format("ONNX files can be written in opset {} to {}, not {}", onnx::min_opset,
                                     onnx::max_opset, opset));
    }
    TracedExport result;
    result.model.ir_version = ir_version_of(opset);
    result.model.opsets[""] = opset;
    result.model.producer = "hacscale";
    result.model.graph.name = network.name;
    NetworkExport written(network, result.model.graph, opset);
    written.run();
    result.layers = written.take_layers();
    return result;
}

onnx::Model export_onnx(const Network& network, std::int64_t opset) {
    return export_onnx_traced(network, opset).model;
}

}  // namespace hacscale
