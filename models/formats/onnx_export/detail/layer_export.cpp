#include "models/formats/onnx_export/detail/layer_export.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace hacscale::detail {
namespace {

std::string unused_name(std::unordered_set<std::string>& taken, const std::string& wanted) {
    std::string name = wanted;
    for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
    return name;
}

std::string_view bytes_of_numbers(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

// ---- Names ----

std::string OnnxWriter::value_name(const std::string& wanted) {
    return unused_name(values_, wanted);
}

std::string OnnxWriter::node_name(const std::string& wanted) {
    return unused_name(nodes_, wanted);
}

// ---- Nodes and tensors ----

std::string OnnxWriter::add(std::string name, std::string_view op_type, std::vector<std::string> inputs,
                            OnnxAttributes attributes) {
    onnx::Node node;
    node.op_type = op_type;
    node.outputs = {value_name(name)};
    node.name = std::move(name);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().outputs.front();
}

std::string OnnxWriter::add_initializer(onnx::Tensor tensor) {
    tensor.name = value_name(tensor.name);
    initializers_[tensor.name] = graph_.initializers.size();
    graph_.initializers.push_back(std::move(tensor));
    return graph_.initializers.back().name;
}

std::string OnnxWriter::tensor(const std::string& name, const OnnxInts& dims,
                               const std::vector<float>& values) {
    return add_initializer(
        {name, onnx::DataType::float32, dims, onnx::Bytes(nullptr, bytes_of_numbers(values))});
}

std::string OnnxWriter::shared_tensor(const std::string& name, const std::string& first, const OnnxInts& dims,
                                      const std::vector<float>& values) {
    const auto found = initializers_.find(first);
    if (found == initializers_.end()) return tensor(name, dims, values);
    const onnx::Tensor& there = graph_.initializers[found->second];
    const bool equal = there.dims == dims && there.data.view() == bytes_of_numbers(values);
    return equal ? first : tensor(name, dims, values);
}

std::string OnnxWriter::own_tensor(const std::string& name, const OnnxInts& dims,
                                   const std::vector<float>& values) {
    return add_initializer(onnx::tensor_of(name, dims, values));
}

// Without dots, which would make a module of what is before them.
std::string OnnxWriter::scalar(float value) {
    std::string& name = scalars_[value];
    if (name.empty()) {
        std::string wanted = fmt::format("number_{}", value);
        std::ranges::replace(wanted, '.', '_');
        name = own_tensor(wanted, {}, {value});
    }
    return name;
}

std::string OnnxWriter::integers(const OnnxInts& values) {
    std::string& name = integers_[values];
    if (name.empty()) {
        name = add_initializer(onnx::tensor_of(fmt::format("integers_{}", fmt::join(values, "_")),
                                               {static_cast<std::int64_t>(values.size())}, values));
    }
    return name;
}

// ---- One layer ----

void LayerExport::needs_opset(std::int64_t least, std::string_view what) const {
    if (opset() >= least) return;
    throw InputError(fmt::format(
        "layer \"{}\" ({}) needs ONNX's {}, which opset {} does not have; export with opset {} or later",
        name, name_of(layer().kind), what, opset(), least));
}

std::string LayerExport::add(std::string_view op_type, std::vector<std::string> operands,
                             OnnxAttributes attributes) {
    return writer.add(name, op_type, std::move(operands), std::move(attributes));
}

std::string LayerExport::add_part(std::string_view op_type, std::vector<std::string> operands,
                                  OnnxAttributes attributes) {
    return writer.add(writer.node_name(fmt::format("{}/{}", name, op_type)), op_type, std::move(operands),
                      std::move(attributes));
}

std::string LayerExport::add_as(bool is_layer, std::string_view op_type, std::vector<std::string> operands,
                                OnnxAttributes attributes) {
    return is_layer ? add(op_type, std::move(operands), std::move(attributes))
                    : add_part(op_type, std::move(operands), std::move(attributes));
}

std::string LayerExport::weight(std::string_view part, const OnnxInts& dims,
                                const std::vector<float>& values) {
    const std::string module = name.substr(0, name.rfind('#'));
    return writer.shared_tensor(fmt::format("{}.{}", name, part), fmt::format("{}.{}", module, part), dims,
                                values);
}

std::string LayerExport::reduced(std::string_view op_type, const std::string& x, const OnnxInts& axes) {
    constexpr std::int64_t axes_are_an_input = 18;
    if (opset() >= axes_are_an_input) return add_part(op_type, {x, writer.integers(axes)});
    return add_part(op_type, {x}, {{"axes", axes}});
}

std::string LayerExport::reshaped(const std::string& x, const OnnxInts& shape) {
    return add_part("Reshape", {x, writer.integers(shape)});
}

OnnxInts LayerExport::per_channel() const {
    if (vector) return {layer().in_channels};
    return {layer().in_channels, 1, 1};
}

}  // namespace hacscale::detail
