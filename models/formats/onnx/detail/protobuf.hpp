// The fields of one protobuf message, each checked for its kind before it is read, and the field numbers of onnx.proto
// (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
#pragma once

#include <cstdint>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hacscale::onnx::detail {

// What a file may ask for in memory beyond its own size: a node of two bytes becomes a value of some hundred.
struct Budget {
    std::size_t items = 0;    // nodes, names, attributes, tensors, dimensions
    std::size_t numbers = 0;  // elements of lists in attributes
    std::uint64_t decoded_bytes = 0;
    std::uint64_t max_decoded_bytes = 0;

    // Throw InputError above the limits.
    void take_item();
    void take_number();
    void take_decoded(std::uint64_t bytes);
};

class Fields {
public:
    // `message` names the kind in messages ("NodeProto").
    Fields(std::string_view bytes, std::string_view message, Budget& budget)
        : reader_(bytes.data(), bytes.size()), message_(message), budget_(&budget) {}

    bool next() { return reader_.next(); }
    std::uint32_t field() const { return reader_.tag(); }
    void skip() { reader_.skip(); }

    // The value of the current field; throw InputError where it is of another kind.
    std::int64_t integer();
    float number();
    std::string_view bytes();
    std::string text();
    // Appends one number or a packed list of them: repeated fields may come in either way.
    void add_integers(std::vector<std::int64_t>& list);
    void add_numbers(std::vector<float>& list);
    // The bytes of one fixed-size number or of a packed list of them; the size is a multiple of `bytes_each` (4 or 8).
    std::string_view fixed_numbers(std::size_t bytes_each);
    // The bytes of a packed list of variable-size integers, or one such integer as it is in the file.
    std::string_view encoded_integers();

private:
    void expect(protozero::pbf_wire_type type, std::string_view kind) const;

    protozero::pbf_reader reader_;
    std::string_view message_;
    Budget* budget_;
};

namespace field {
namespace model {
enum : std::uint32_t { ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8 };
}
namespace opset {
enum : std::uint32_t { domain = 1, version = 2 };
}
namespace graph {
enum : std::uint32_t {
    node = 1,
    name = 2,
    initializer = 5,
    input = 11,
    output = 12,
    value_info = 13,
    quantization_annotation = 14,
    sparse_initializer = 15
};
}
namespace node {
enum : std::uint32_t { input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7 };
}
namespace attribute {
enum : std::uint32_t {
    name = 1,
    f = 2,
    i = 3,
    s = 4,
    t = 5,
    g = 6,
    floats = 7,
    ints = 8,
    strings = 9,
    doc_string = 13,
    type = 20,
    ref_attr_name = 21
};
}
namespace tensor {
enum : std::uint32_t {
    dims = 1,
    data_type = 2,
    segment = 3,
    float_data = 4,
    int32_data = 5,
    string_data = 6,
    int64_data = 7,
    name = 8,
    raw_data = 9,
    double_data = 10,
    uint64_data = 11,
    external_data = 13,
    data_location = 14
};
}
namespace entry {
enum : std::uint32_t { key = 1, value = 2 };
}
namespace value_info {
enum : std::uint32_t { name = 1, type = 2 };
}
namespace type {
enum : std::uint32_t { tensor_type = 1, denotation = 6 };
}
namespace tensor_type {
enum : std::uint32_t { elem_type = 1, shape = 2 };
}
namespace shape {
enum : std::uint32_t { dim = 1 };
}
namespace dimension {
enum : std::uint32_t { dim_value = 1, dim_param = 2 };
}
}  // namespace field

// AttributeProto.AttributeType, as far as it is read.
enum class AttributeType : std::int64_t {
    undefined = 0,
    number = 1,
    integer = 2,
    text = 3,
    tensor = 4,
    graph = 5,
    numbers = 6,
    integers = 7,
    texts = 8,
};

}  // namespace hacscale::onnx::detail
