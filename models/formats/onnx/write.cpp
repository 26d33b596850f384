#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/replace_file.hpp"
#include "models/formats/onnx/detail/protobuf.hpp"
#include "models/formats/onnx/detail/wording.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx {

namespace {

using detail::AttributeType;
using protozero::pbf_writer;
namespace field = detail::field;

// A file beside the model's, and the tensors whose numbers go into it: all but small ones, which programs need for shapes.
struct ExternalData {
    std::string location;
    std::uint64_t size = 0;
    std::vector<std::pair<std::uint64_t, const Tensor*>> parts;  // with their offsets, in order

    static bool takes(const Tensor& tensor) { return tensor.data.size() >= 1024; }
    std::uint64_t add(const Tensor& tensor) {
        // Parts begin at pages, so that they can be mapped (onnx.proto, "external_data").
        constexpr std::uint64_t page = 4096;
        const std::uint64_t offset = (size + page - 1) / page * page;
        parts.emplace_back(offset, &tensor);
        size = offset + tensor.data.size();
        return offset;
    }
};

void write_entry(pbf_writer out, std::string_view key, const std::string& value) {
    out.add_string(field::entry::key, key.data(), key.size());
    out.add_string(field::entry::value, value);
}

void write_tensor(pbf_writer out, const Tensor& tensor, ExternalData* external = nullptr) {
    for (const std::int64_t dim : tensor.dims) {
        out.add_int64(field::tensor::dims, dim);
    }
    out.add_int32(field::tensor::data_type, static_cast<std::int32_t>(tensor.type));
    out.add_string(field::tensor::name, tensor.name);
    if (external == nullptr || !ExternalData::takes(tensor)) {
        out.add_bytes(field::tensor::raw_data, tensor.data.view().data(), tensor.data.size());
        return;
    }
    const std::uint64_t offset = external->add(tensor);
    write_entry(pbf_writer(out, field::tensor::external_data), "location", external->location);
    write_entry(pbf_writer(out, field::tensor::external_data), "offset", std::to_string(offset));
    write_entry(pbf_writer(out, field::tensor::external_data), "length", std::to_string(tensor.data.size()));
    constexpr std::int32_t is_external = 1;
    out.add_int32(field::tensor::data_location, is_external);
}

// One overload for each kind of attribute: writes its field, returns its type.
AttributeType write_value(pbf_writer& out, float value) {
    out.add_float(field::attribute::f, value);
    return AttributeType::number;
}
AttributeType write_value(pbf_writer& out, std::int64_t value) {
    out.add_int64(field::attribute::i, value);
    return AttributeType::integer;
}
AttributeType write_value(pbf_writer& out, const std::string& value) {
    out.add_bytes(field::attribute::s, value);
    return AttributeType::text;
}
AttributeType write_value(pbf_writer& out, const Tensor& value) {
    write_tensor(pbf_writer(out, field::attribute::t), value);
    return AttributeType::tensor;
}
AttributeType write_value(pbf_writer& out, const Subgraph& value) {
    out.add_message(field::attribute::g, value.encoded.view().data(), value.encoded.size());
    return AttributeType::graph;
}
AttributeType write_value(pbf_writer& out, const std::vector<float>& values) {
    for (const float value : values) {
        out.add_float(field::attribute::floats, value);
    }
    return AttributeType::numbers;
}
AttributeType write_value(pbf_writer& out, const std::vector<std::int64_t>& values) {
    for (const std::int64_t value : values) {
        out.add_int64(field::attribute::ints, value);
    }
    return AttributeType::integers;
}
AttributeType write_value(pbf_writer& out, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
        out.add_bytes(field::attribute::strings, value);
    }
    return AttributeType::texts;
}

void write_node(pbf_writer out, const Node& node) {
    for (const std::string& input : node.inputs) {
        out.add_string(field::node::input, input);
    }
    for (const std::string& output : node.outputs) {
        out.add_string(field::node::output, output);
    }
    out.add_string(field::node::name, node.name);
    out.add_string(field::node::op_type, node.op_type);
    for (const auto& [name, value] : node.attributes) {
        pbf_writer attribute(out, field::node::attribute);
        attribute.add_string(field::attribute::name, name);
        const AttributeType type =
            std::visit([&attribute](const auto& held) { return write_value(attribute, held); }, value);
        attribute.add_int32(field::attribute::type, static_cast<std::int32_t>(type));
    }
    if (!node.domain.empty()) {
        out.add_string(field::node::domain, node.domain);
    }
}

void write_value_info(pbf_writer out, const ValueInfo& info) {
    out.add_string(field::value_info::name, info.name);
    if (info.type == DataType::undefined && !info.shape) {
        return;
    }
    pbf_writer type(out, field::value_info::type);
    pbf_writer tensor(type, field::type::tensor_type);
    tensor.add_int32(field::tensor_type::elem_type, static_cast<std::int32_t>(info.type));
    if (!info.shape) {
        return;
    }
    // Messages without a field are written too: a shape without sizes is that of a single number.
    std::string shape;
    pbf_writer sizes(shape);
    for (const Dimension& dimension : *info.shape) {
        std::string encoded;
        pbf_writer entry(encoded);
        if (dimension.size) {
            entry.add_int64(field::dimension::dim_value, *dimension.size);
        }
        if (!dimension.symbol.empty()) {
            entry.add_string(field::dimension::dim_param, dimension.symbol);
        }
        sizes.add_message(field::shape::dim, encoded);
    }
    tensor.add_message(field::tensor_type::shape, shape);
}

void write_graph(pbf_writer out, const Graph& graph, ExternalData* external) {
    for (const Node& node : graph.nodes) {
        write_node(pbf_writer(out, field::graph::node), node);
    }
    out.add_string(field::graph::name, graph.name);
    for (const Tensor& tensor : graph.initializers) {
        write_tensor(pbf_writer(out, field::graph::initializer), tensor, external);
    }
    for (const ValueInfo& input : graph.inputs) {
        write_value_info(pbf_writer(out, field::graph::input), input);
    }
    for (const ValueInfo& output : graph.outputs) {
        write_value_info(pbf_writer(out, field::graph::output), output);
    }
    for (const ValueInfo& info : graph.value_info) {
        write_value_info(pbf_writer(out, field::graph::value_info), info);
    }
}

// Names and attributes are small: what can be too large are tensors.
std::uint64_t bytes_of_weights(const Model& model) {
    std::uint64_t bytes = 0;
    for (const Tensor& tensor : model.graph.initializers) {
        bytes += tensor.data.size();
    }
    return bytes;
}

std::string encoded(const Model& model, ExternalData* external) {
    std::string bytes;
    pbf_writer out(bytes);
    out.add_int64(field::model::ir_version, model.ir_version);
    out.add_string(field::model::producer_name, model.producer);
    out.add_string(field::model::producer_version, model.producer_version);
    write_graph(pbf_writer(out, field::model::graph), model.graph, external);
    for (const auto& [domain, version] : model.opsets) {
        pbf_writer opset(out, field::model::opset_import);
        opset.add_string(field::opset::domain, domain);
        opset.add_int64(field::opset::version, version);
    }
    return bytes;
}

void write_parts(const ExternalData& external, std::ostream& out) {
    std::uint64_t at = 0;
    for (const auto& [offset, tensor] : external.parts) {
        out << std::string(offset - at, '\0') << tensor->data.view();
        at = offset + tensor->data.size();
    }
}

}  // namespace

std::string to_bytes(const Model& model) {
    if (const std::uint64_t bytes = bytes_of_weights(model); bytes > max_weight_bytes) {
        throw InputError("the weights of \"" + detail::readable(model.graph.name) + "\" have " +
                         std::to_string(bytes) + " bytes, and one ONNX file holds at most 2 GB");
    }
    return encoded(model, nullptr);
}

void write_file(const Model& model, const std::filesystem::path& file, std::uint64_t max_bytes_inside) {
    std::string bytes;
    if (bytes_of_weights(model) > max_bytes_inside) {
        std::filesystem::path beside = file;
        beside += ".data";
        ExternalData external{beside.filename().string(), 0, {}};
        bytes = encoded(model, &external);
        replace_file(beside, [&](std::ostream& out) { write_parts(external, out); });
    } else {
        bytes = encoded(model, nullptr);
    }
    replace_file(file, [&](std::ostream& out) { out << bytes; });
}

}  // namespace hacscale::onnx
