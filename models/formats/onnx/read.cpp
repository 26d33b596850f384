#include <algorithm>
#include <limits>
#include <protozero/exception.hpp>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/check.hpp"
#include "models/formats/onnx/detail/protobuf.hpp"
#include "models/formats/onnx/detail/read_tensor.hpp"
#include "models/formats/onnx/detail/wording.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx {

namespace {

using detail::AttributeType;
using detail::Fields;
using detail::readable;
using detail::Source;
namespace field = detail::field;

Dimension read_dimension(std::string_view bytes, Source& source) {
    source.budget.take_item();
    Dimension dimension;
    Fields fields(bytes, "TensorShapeProto.Dimension", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::dimension::dim_value:
                dimension.size = fields.integer();
                break;
            case field::dimension::dim_param:
                dimension.symbol = fields.text();
                break;
            default:
                fields.skip();
        }
    }
    if (dimension.size && *dimension.size < 0) {
        dimension.size.reset();
    }  // some exporters write -1 for an open size
    return dimension;
}

void read_tensor_type(std::string_view bytes, Source& source, ValueInfo& info) {
    Fields fields(bytes, "TypeProto.Tensor", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::tensor_type::elem_type:
                info.type = static_cast<DataType>(fields.integer());
                break;
            case field::tensor_type::shape: {
                info.shape.emplace();
                Fields shape(fields.bytes(), "TensorShapeProto", source.budget);
                while (shape.next()) {
                    if (shape.field() == field::shape::dim) {
                        info.shape->push_back(read_dimension(shape.bytes(), source));
                    } else {
                        shape.skip();
                    }
                }
                break;
            }
            default:
                fields.skip();
        }
    }
}

// A value that is no tensor of numbers has the type `undefined`.
ValueInfo read_value_info(std::string_view bytes, Source& source) {
    source.budget.take_item();
    ValueInfo info;
    Fields fields(bytes, "ValueInfoProto", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::value_info::name:
                info.name = fields.text();
                break;
            case field::value_info::type: {
                Fields type(fields.bytes(), "TypeProto", source.budget);
                while (type.next()) {
                    if (type.field() == field::type::tensor_type) {
                        read_tensor_type(type.bytes(), source, info);
                    } else {
                        type.skip();
                    }
                }
                break;
            }
            default:
                fields.skip();
        }
    }
    if (bytes_of(info.type) == 0) {
        info.type = DataType::undefined;
    }
    return info;
}

// The values of an AttributeProto, of which one is present: that of its type.
struct AttributeFields {
    std::string name;
    std::int64_t type = 0;
    std::int64_t integer = 0;
    float number = 0;
    std::string_view text, tensor, graph;
    std::vector<float> numbers;
    std::vector<std::int64_t> integers;
    std::vector<std::string> texts;
    std::vector<AttributeType> present;  // in the order of the file
};

AttributeFields read_attribute_fields(std::string_view bytes, Source& source) {
    AttributeFields result;
    const auto seen = [&result](AttributeType type) {
        if (result.present.empty() || result.present.back() != type) {
            result.present.push_back(type);
        }
    };
    Fields fields(bytes, "AttributeProto", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::attribute::name:
                result.name = fields.text();
                break;
            case field::attribute::type:
                result.type = fields.integer();
                break;
            case field::attribute::f:
                result.number = fields.number();
                seen(AttributeType::number);
                break;
            case field::attribute::i:
                result.integer = fields.integer();
                seen(AttributeType::integer);
                break;
            case field::attribute::s:
                result.text = fields.bytes();
                seen(AttributeType::text);
                break;
            case field::attribute::t:
                result.tensor = fields.bytes();
                seen(AttributeType::tensor);
                break;
            case field::attribute::g:
                result.graph = fields.bytes();
                seen(AttributeType::graph);
                break;
            case field::attribute::floats:
                fields.add_numbers(result.numbers);
                seen(AttributeType::numbers);
                break;
            case field::attribute::ints:
                fields.add_integers(result.integers);
                seen(AttributeType::integers);
                break;
            case field::attribute::strings:
                source.budget.take_item();
                result.texts.push_back(fields.text());
                seen(AttributeType::texts);
                break;
            case field::attribute::doc_string:
                fields.skip();
                break;
            case field::attribute::ref_attr_name:
                throw InputError("the attribute \"" + readable(result.name) +
                                 "\" refers to an attribute of a function");
            default:
                fields.skip();
        }
    }
    return result;
}

Attribute attribute_value(AttributeFields& fields, AttributeType type, Source& source) {
    switch (type) {
        case AttributeType::number:
            return fields.number;
        case AttributeType::integer:
            return fields.integer;
        case AttributeType::text:
            return std::string(fields.text);
        case AttributeType::tensor:
            return read_tensor(fields.tensor, source);
        case AttributeType::graph:
            return Subgraph{source.file.part(fields.graph)};
        case AttributeType::numbers:
            return std::move(fields.numbers);
        case AttributeType::integers:
            return std::move(fields.integers);
        case AttributeType::texts:
            return std::move(fields.texts);
        default:
            throw InputError("the attribute \"" + readable(fields.name) + "\" has the type " +
                             std::to_string(fields.type) +
                             ", expected numbers, text, a tensor or a graph (1 to 8)");
    }
}

void read_attribute(std::string_view bytes, Source& source, Node& node) {
    source.budget.take_item();
    AttributeFields fields = read_attribute_fields(bytes, source);
    const std::string place = "the attribute \"" + readable(fields.name) + "\"";
    // Files of the first versions of ONNX do not say the type.
    if (fields.type == 0 && fields.present.size() == 1) {
        fields.type = static_cast<std::int64_t>(fields.present.front());
    }
    const auto type = static_cast<AttributeType>(fields.type);
    if (std::any_of(fields.present.begin(), fields.present.end(),
                    [type](AttributeType other) { return other != type; })) {
        throw InputError(place + " holds a value of another type than it says (" +
                         std::to_string(fields.type) + ")");
    }
    if (fields.present.empty() && (type == AttributeType::tensor || type == AttributeType::graph)) {
        throw InputError(place + " has no value");
    }
    Attribute value = attribute_value(fields, type, source);
    if (!node.attributes.emplace(std::move(fields.name), std::move(value)).second) {
        throw InputError(place + " is there twice");
    }
}

Node read_node(std::string_view bytes, Source& source) {
    source.budget.take_item();
    Node node;
    std::vector<std::string_view> attributes;
    Fields fields(bytes, "NodeProto", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::node::input:
                source.budget.take_item();
                node.inputs.push_back(fields.text());
                break;
            case field::node::output:
                source.budget.take_item();
                node.outputs.push_back(fields.text());
                break;
            case field::node::name:
                node.name = fields.text();
                break;
            case field::node::op_type:
                node.op_type = fields.text();
                break;
            case field::node::domain:
                node.domain = fields.text();
                break;
            case field::node::attribute:
                attributes.push_back(fields.bytes());
                break;
            default:
                fields.skip();
        }
    }
    if (node.domain == "ai.onnx") {
        node.domain.clear();
    }
    try {
        for (const std::string_view attribute : attributes) {
            read_attribute(attribute, source, node);
        }
    } catch (const InputError& error) {
        throw InputError(node.place() + ": " + error.what());
    } catch (const protozero::exception& error) {
        throw InputError(node.place() + ": an attribute is damaged (" + error.what() + ")");
    }
    return node;
}

Graph read_graph(std::string_view bytes, Source& source) {
    Graph graph;
    Fields fields(bytes, "GraphProto", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::graph::name:
                graph.name = fields.text();
                break;
            case field::graph::node:
                graph.nodes.push_back(read_node(fields.bytes(), source));
                break;
            case field::graph::initializer:
                graph.initializers.push_back(read_tensor(fields.bytes(), source));
                break;
            case field::graph::input:
                graph.inputs.push_back(read_value_info(fields.bytes(), source));
                break;
            case field::graph::output:
                graph.outputs.push_back(read_value_info(fields.bytes(), source));
                break;
            case field::graph::value_info:
                graph.value_info.push_back(read_value_info(fields.bytes(), source));
                break;
            case field::graph::quantization_annotation:
                throw InputError(
                    "the graph is quantized (quantization_annotation); export the network in float32");
            case field::graph::sparse_initializer:
                throw InputError("the graph has sparse initializers; export the network with dense weights");
            default:
                fields.skip();
        }
    }
    return graph;
}

void read_opset(std::string_view bytes, Source& source, Model& model) {
    source.budget.take_item();
    std::string domain;
    std::int64_t version = 0;
    Fields fields(bytes, "OperatorSetIdProto", source.budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::opset::domain:
                domain = fields.text();
                break;
            case field::opset::version:
                version = fields.integer();
                break;
            default:
                fields.skip();
        }
    }
    if (domain == "ai.onnx") {
        domain.clear();
    }
    model.opsets[domain] = version;
}

bool looks_like_text(std::string_view bytes) {
    const std::string_view start = bytes.substr(0, 256);
    return std::all_of(start.begin(), start.end(),
                       [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t'; });
}

Model read_model(Source& source) {
    const std::string_view bytes = source.file.view();
    if (bytes.empty()) {
        throw InputError("the file is empty, expected an ONNX model");
    }
    if (looks_like_text(bytes)) {
        throw InputError("this is a text file, expected an ONNX model");
    }
    constexpr std::uint64_t some_megabytes = std::uint64_t{64} << 20;
    source.budget.max_decoded_bytes = some_megabytes + 2 * bytes.size();
    Model model;
    model.ir_version = 0;
    bool has_graph = false;
    try {
        Fields fields(bytes, "ModelProto", source.budget);
        while (fields.next()) {
            switch (fields.field()) {
                case field::model::ir_version:
                    model.ir_version = fields.integer();
                    break;
                case field::model::producer_name:
                    model.producer = fields.text();
                    break;
                case field::model::producer_version:
                    model.producer_version = fields.text();
                    break;
                case field::model::opset_import:
                    read_opset(fields.bytes(), source, model);
                    break;
                case field::model::graph:
                    if (has_graph) {
                        throw InputError("this is no ONNX model: it has two graphs");
                    }
                    has_graph = true;
                    model.graph = read_graph(fields.bytes(), source);
                    break;
                default:
                    fields.skip();
            }
        }
    } catch (const protozero::exception& error) {
        throw InputError(std::string("this is no ONNX model, or a part of one: ") + error.what());
    }
    if (model.ir_version <= 0 || !has_graph) {
        throw InputError(std::string("this is no ONNX model, or a part of one: it has no ") +
                         (has_graph ? "ir_version" : "graph"));
    }
    return model;
}

Model read_named(Source& source, const std::string& origin) {
    try {
        Model model = read_model(source);
        model.origin = origin;
        detail::check_and_sort(model);
        return model;
    } catch (const InputError& error) {
        throw InputError(origin + ": " + error.what());
    }
}

}  // namespace

Model read_file(const std::filesystem::path& file) {
    // protobuf's messages have no more than 2 GiB.
    constexpr std::uint64_t max_bytes = std::numeric_limits<std::int32_t>::max();
    const std::filesystem::path folder =
        file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
    Source source{{}, detail::ExternalFiles(folder), {}};
    try {
        source.file = detail::mapped_file(file, max_bytes);
    } catch (const InputError& error) {
        throw InputError(file.string() + ": " + error.what());
    }
    return read_named(source, file.string());
}

Model read_bytes(std::string_view bytes, const std::string& origin) {
    Source source{Bytes(std::string(bytes)), detail::ExternalFiles({}), {}};
    return read_named(source, origin);
}

}  // namespace hacscale::onnx
