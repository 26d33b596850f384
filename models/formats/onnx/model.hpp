// A network as its ONNX file has it: plain values of what onnx.proto names ModelProto, GraphProto, NodeProto and
// TensorProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto). Nothing here knows layers, opsets or shapes of
// operators; read.hpp and write.hpp turn these values from and to bytes, simplify.hpp makes them ready to be imported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hacscale::onnx {

// The values of TensorProto.DataType that have numbers of a fixed size; strings, complex numbers and the types of 8 bits
// and fewer that came with opset 19 are refused by the reader.
enum class DataType : std::int32_t {
    undefined = 0,
    float32 = 1,
    uint8 = 2,
    int8 = 3,
    uint16 = 4,
    int16 = 5,
    int32 = 6,
    int64 = 7,
    boolean = 9,
    float16 = 10,
    float64 = 11,
    uint32 = 12,
    uint64 = 13,
    bfloat16 = 16,
};

// Bytes of one number; 0 for `undefined`.
std::size_t bytes_of(DataType type);
// "float32", as messages name it.
std::string_view name_of(DataType type);
bool is_floating(DataType type);

// "1x3x224x224"; "a number" for an empty list.
std::string shape_text(const std::vector<std::int64_t>& sizes);

// Bytes that never change and are shared by copies: part of a mapped file, or memory of their own.
class Bytes {
public:
    Bytes() = default;
    // Memory of its own.
    explicit Bytes(std::string content);
    // A part of something that `owner` keeps alive.
    Bytes(std::shared_ptr<const void> owner, std::string_view part) : owner_(std::move(owner)), part_(part) {}

    std::string_view view() const { return part_; }
    // `within` is a part of view(); it keeps the whole alive.
    Bytes part(std::string_view within) const { return {owner_, within}; }
    std::size_t size() const { return part_.size(); }
    friend bool operator==(const Bytes& a, const Bytes& b) { return a.part_ == b.part_; }

private:
    std::shared_ptr<const void> owner_;
    std::string_view part_;
};

// Numbers in row-major order. `data` holds them one after another as ONNX's raw_data does: little-endian, without padding,
// a boolean as one byte; its size is count() * bytes_of(type).
struct Tensor {
    std::string name;
    DataType type = DataType::undefined;
    std::vector<std::int64_t> dims;  // empty for a single number
    Bytes data;

    std::int64_t count() const;
    // All numbers, converted: integers and booleans to float, halves and doubles to the nearest float.
    std::vector<float> floats() const;
    // All numbers of an integer or boolean tensor. Throws InputError with the tensor's name for a floating type.
    std::vector<std::int64_t> integers() const;

    bool operator==(const Tensor&) const = default;
};

Tensor tensor_of(std::string name, std::vector<std::int64_t> dims, const std::vector<float>& values);
Tensor tensor_of(std::string name, std::vector<std::int64_t> dims, const std::vector<std::int64_t>& values);
// The same with another type: numbers are rounded to the nearest of floating types and cut off for integer types.
Tensor tensor_as(const Tensor& tensor, DataType type);

// A size of a value: a number, a symbol ("batch"), or unknown (neither).
struct Dimension {
    std::optional<std::int64_t> size;
    std::string symbol;

    bool operator==(const Dimension&) const = default;
};

// What a file says of an input, an output or a value between nodes.
struct ValueInfo {
    std::string name;
    DataType type = DataType::undefined;
    std::optional<std::vector<Dimension>> shape;  // absent where the file does not say even the rank

    // The sizes where all are numbers.
    std::optional<std::vector<std::int64_t>> sizes() const;
    bool operator==(const ValueInfo&) const = default;
};

ValueInfo value_info(std::string name, DataType type, const std::vector<std::int64_t>& sizes);

// A graph inside a node, as If and Loop have it: its bytes, which nothing here reads.
struct Subgraph {
    Bytes encoded;

    bool operator==(const Subgraph&) const = default;
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, Tensor, Subgraph>;

struct Node {
    std::string op_type;
    std::string domain;  // empty for ONNX's own operators ("ai.onnx" is read as empty)
    std::string name;    // may be empty in a file; simplify() gives each node a name
    // Names of values; an empty name is an optional input or output that is left out.
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::map<std::string, Attribute, std::less<>> attributes;
    // The names of the file's nodes that this node replaces; empty in a file.
    std::vector<std::string> sources;

    // The attribute, or nothing where the node has none of that name. Throws InputError with node, operator and attribute
    // where it has another type.
    const std::int64_t* integer(std::string_view attribute) const;
    const float* number(std::string_view attribute) const;
    const std::string* text(std::string_view attribute) const;
    const std::vector<std::int64_t>* integers(std::string_view attribute) const;
    const std::vector<float>* numbers(std::string_view attribute) const;
    const Tensor* tensor(std::string_view attribute) const;
    // The same with the value that holds where the attribute is absent.
    std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
    float number(std::string_view attribute, float otherwise) const;
    std::string text(std::string_view attribute, std::string_view otherwise) const;
    std::vector<std::int64_t> integers(std::string_view attribute,
                                       const std::vector<std::int64_t>& otherwise) const;

    // `node "/layer1/conv1" (Conv)`, for messages; `the node that writes "x" (Conv)` where it has no name.
    std::string place() const;

    bool operator==(const Node&) const = default;
};

struct Graph {
    std::string name;
    std::vector<Node> nodes;  // in the file's order
    std::vector<Tensor> initializers;
    std::vector<ValueInfo> inputs;  // without those that are initializers
    std::vector<ValueInfo> outputs;
    std::vector<ValueInfo> value_info;

    const Tensor* initializer(std::string_view value) const;  // linear in the number of initializers
    bool operator==(const Graph&) const = default;
};

struct Model {
    std::int64_t ir_version = 8;
    std::map<std::string, std::int64_t, std::less<>> opsets;  // by domain; "" is ONNX's own
    std::string producer;
    std::string producer_version;
    Graph graph;
    // What simplify() changes the inputs' first sizes to, where the file fixes another batch.
    std::optional<std::int64_t> wanted_batch;
    std::string origin;  // the file's name, for messages; models that differ in it alone are equal
    // Of constants that are one of the file's in another shape or order, once simplify() has folded the step: that one's name. Not
    // compared.
    std::map<std::string, std::string, std::less<>> moved_from;

    std::int64_t opset() const;  // of ONNX's own operators
    friend bool operator==(const Model& a, const Model& b);
};

}  // namespace hacscale::onnx
