// Models of a few nodes, built in a line each.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/formats/onnx/model.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx {

using Attributes = std::map<std::string, Attribute, std::less<>>;
using Ints = std::vector<std::int64_t>;
using Floats = std::vector<float>;

inline Node node(std::string op_type, std::vector<std::string> inputs, std::vector<std::string> outputs,
                 Attributes attributes = {}) {
    Node result;
    result.op_type = std::move(op_type);
    result.name = outputs.empty() ? "" : "/" + outputs.front();
    result.inputs = std::move(inputs);
    result.outputs = std::move(outputs);
    result.attributes = std::move(attributes);
    return result;
}

// The numbers 0.1, -0.2, 0.3, ... in this shape.
inline Tensor weights(std::string name, const Ints& dims) {
    Tensor shape{"", DataType::float32, dims, {}};
    Floats values;
    for (std::int64_t i = 0; i < shape.count(); ++i) {
        values.push_back(0.1F * static_cast<float>(i % 7 + 1) * (i % 2 == 0 ? 1 : -1));
    }
    return tensor_of(std::move(name), dims, values);
}

// One input "x" of this shape, the nodes, and the output "y" without a shape.
inline Model model_of(const Ints& input, std::vector<Node> nodes, std::vector<Tensor> initializers = {},
                      std::int64_t opset = 17) {
    Model model;
    model.opsets[""] = opset;
    model.producer = "tests";
    model.graph.name = "small";
    model.graph.inputs = {value_info("x", DataType::float32, input)};
    model.graph.outputs = {{"y", DataType::float32, {}}};
    model.graph.nodes = std::move(nodes);
    model.graph.initializers = std::move(initializers);
    return model;
}

// A conv with all that most of its kind have.
inline Model conv_model() {
    return model_of({1, 3, 8, 8},
                    {node("Conv", {"x", "w", "b"}, {"c"},
                          {{"kernel_shape", Ints{3, 3}},
                           {"pads", Ints{1, 1, 1, 1}},
                           {"strides", Ints{2, 2}},
                           {"group", std::int64_t{1}}}),
                     node("Relu", {"c"}, {"y"})},
                    {weights("w", {4, 3, 3, 3}), weights("b", {4})});
}

inline Tensor integers(std::string name, const Ints& values) {
    return tensor_of(std::move(name), {static_cast<std::int64_t>(values.size())}, values);
}

inline Tensor scalar(std::string name, float value) {
    return tensor_of(std::move(name), {}, Floats{value});
}

// The graph of the model after it was written, read and simplified.
inline Graph simplified(const Model& model) {
    return simplify(read_bytes(to_bytes(model), "net.onnx")).graph;
}

// "Conv", or with another domain "hacscale.Silu".
inline std::vector<std::string> operators(const Graph& graph) {
    std::vector<std::string> result;
    for (const Node& each : graph.nodes) {
        result.push_back((each.domain.empty() ? "" : each.domain + ".") + each.op_type);
    }
    return result;
}

}  // namespace hacscale::onnx
