// One node while simplify() handles it: what is known of its inputs, and what an operator says of itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/formats/onnx/model.hpp"

namespace hacscale::onnx::detail {

using Ints = std::vector<std::int64_t>;

struct ValueType {
    DataType type = DataType::undefined;
    Ints dims;
};

// The number of elements; the sizes come from a ValueType in Values, so that the product does not overflow.
std::int64_t count_of(const Ints& dims);

// What is known of the values that nodes have written so far.
class Values {
public:
    // Throws InputError for negative sizes, for more than 32 of them, and for more than 2^40 elements.
    void set_type(const std::string& value, ValueType type);
    void set_constant(const std::string& value, Tensor tensor);
    void erase(const std::string& value);

    const ValueType* type(const std::string& value) const;
    const Tensor* constant(const std::string& value) const;

    // What folding may use, so that a small file cannot ask for much: memory of new constants, and bytes read and written. False where
    // there is not enough left.
    bool take(std::int64_t new_bytes, std::int64_t moved_bytes);
    std::int64_t new_bytes_left = 0;
    std::int64_t moved_bytes_left = 0;
    // Numbers of constant inputs that were read as parameters.
    mutable std::int64_t parameters_left = std::int64_t{1} << 28;
    // Multiplications of constant tensors with each other: position encodings need a few million.
    mutable std::int64_t multiplies_left = std::int64_t{1} << 28;

    // By name; simplify() moves the ones that are still read into the model.
    std::unordered_map<std::string, Tensor> constants;

private:
    std::unordered_map<std::string, ValueType> types_;
};

class Step {
public:
    Step(Node& handled, const Values& values, std::int64_t opset)
        : node(handled), values_(values), opset_(opset) {}

    Node& node;

    std::int64_t opset() const { return opset_; }
    bool has(std::size_t input) const { return input < node.inputs.size() && !node.inputs[input].empty(); }
    // The type and sizes of an input that the operator needs; throws InputError where the node does not have it.
    const ValueType& type(std::size_t input) const;
    const Ints& dims(std::size_t input) const { return type(input).dims; }
    std::int64_t rank(std::size_t input) const { return static_cast<std::int64_t>(dims(input).size()); }
    // Null where the input is absent or depends on the network's inputs.
    const Tensor* constant(std::size_t input) const;

    // The numbers of an input that must be constant, called `what` in messages.
    Ints integers(std::size_t input, std::string_view what) const;
    std::vector<float> numbers(std::size_t input, std::string_view what) const;
    // A parameter that is an input from some opset on, and an attribute of the same name before it; nothing where it is neither.
    std::optional<Ints> parameter(std::size_t input, std::string_view name) const;

    // Whether folding may multiply so often; what it may do is less then.
    bool take_multiplies(std::int64_t count) const;

    // An axis counted from the start; `rank` is that of the value which it is an axis of.
    std::int64_t axis(std::int64_t axis, std::int64_t rank) const;
    Ints axes(const Ints& axes,
              std::int64_t rank) const;  // sorted; throws InputError for an axis that is there twice

    // Inputs from this one on have become attributes.
    void drop_inputs(std::size_t from) { node.inputs.resize(std::min(from, node.inputs.size())); }

    [[noreturn]] void refuse(const std::string& problem) const;

private:
    const Values& values_;
    std::int64_t opset_;
};

// What is known of an operator of ONNX. The functions throw InputError with the node's place.
struct Op {
    std::string_view name;
    std::size_t min_inputs;
    std::size_t max_inputs;
    // Makes parameters attributes with their defaults filled in, whatever the opset; may change the node's operator. Null where
    // there is nothing to do.
    void (*form)(Step&);
    // The outputs of a node in that form.
    std::vector<ValueType> (*infer)(const Step&);
    // The outputs where all inputs are constant, named by the caller. Null where that is not computed.
    std::vector<Tensor> (*fold)(const Step&);
};

// Null for an operator that is not known.
const Op* find_op(std::string_view name);

constexpr std::size_t any_number = 1'000'000;

// A shape to which both can be broadcast by ONNX's (numpy's) rule, or nothing.
std::optional<Ints> broadcast(const Ints& a, const Ints& b);

// For each element of `dims` in order, the index of the element of `source` (a shape that can be broadcast to it).
std::vector<std::int64_t> broadcast_indices(const Ints& dims, const Ints& source);

// Distances, in elements, between neighbours along each axis of a row-major tensor.
Ints strides_of(const Ints& dims);

// The elements of tensors of one type in another order: element i of the result is `pick(i)`, a view of its bytes.
template <typename Pick>
Tensor picked(DataType type, Ints dims, const Pick& pick) {
    std::string bytes;
    const std::int64_t count = count_of(dims);
    bytes.reserve(static_cast<std::size_t>(count) * bytes_of(type));
    for (std::int64_t i = 0; i < count; ++i) {
        bytes += pick(i);
    }
    return {{}, type, std::move(dims), Bytes(std::move(bytes))};
}

// The transpose of a matrix.
Tensor transposed(const Tensor& matrix);

inline std::string_view element(const Tensor& tensor, std::int64_t index) {
    const std::size_t size = bytes_of(tensor.type);
    return tensor.data.view().substr(static_cast<std::size_t>(index) * size, size);
}

}  // namespace hacscale::onnx::detail
