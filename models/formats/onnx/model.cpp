#include "models/formats/onnx/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx {

static_assert(std::endian::native == std::endian::little, "tensors are kept as ONNX has them: little-endian");

namespace {

struct TypeEntry {
    DataType type;
    std::size_t bytes;
    std::string_view name;
};

constexpr TypeEntry data_types[] = {
    {DataType::float32, 4, "float32"},   {DataType::uint8, 1, "uint8"},   {DataType::int8, 1, "int8"},
    {DataType::uint16, 2, "uint16"},     {DataType::int16, 2, "int16"},   {DataType::int32, 4, "int32"},
    {DataType::int64, 8, "int64"},       {DataType::boolean, 1, "bool"},  {DataType::float16, 2, "float16"},
    {DataType::float64, 8, "float64"},   {DataType::uint32, 4, "uint32"}, {DataType::uint64, 8, "uint64"},
    {DataType::bfloat16, 2, "bfloat16"},
};

const TypeEntry* entry_of(DataType type) {
    const auto* found = std::find_if(std::begin(data_types), std::end(data_types),
                                     [type](const TypeEntry& entry) { return entry.type == type; });
    return found == std::end(data_types) ? nullptr : found;
}

// IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits.
float float_of_half(std::uint16_t half) {
    const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
    const std::uint32_t exponent = (half >> 10) & 31U;
    const std::uint32_t fraction = half & 1023U;
    if (exponent == 0) {
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
    return std::bit_cast<float>(sign | (wide << 23) | (fraction << 13));
}

// Rounds to the nearest, ties to even.
std::uint16_t half_of_float(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
    const float magnitude = std::fabs(value);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>(sign | 0x7e00U);
    }
    if (magnitude >= 65520.0F) {
        return static_cast<std::uint16_t>(sign | 0x7c00U);
    }
    if (magnitude < std::ldexp(1.0F, -14)) {
        return static_cast<std::uint16_t>(
            sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, 24))));
    }
    std::uint32_t rounded = bits & 0x7fffffffU;
    rounded += 0xfffU + ((rounded >> 13) & 1U);
    return static_cast<std::uint16_t>(sign | ((rounded >> 13) - (112U << 10)));
}

float float_of_bfloat(std::uint16_t value) {
    return std::bit_cast<float>(std::uint32_t{value} << 16);
}

std::uint16_t bfloat_of_float(float value) {
    auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>((bits >> 16) | 0x40U);
    }
    bits += 0x7fffU + ((bits >> 16) & 1U);
    return static_cast<std::uint16_t>(bits >> 16);
}

template <typename Stored, typename To, typename Convert>
std::vector<To> converted(std::string_view data, const Convert& convert) {
    std::vector<To> result(data.size() / sizeof(Stored));
    for (std::size_t i = 0; i < result.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, data.data() + i * sizeof(Stored), sizeof(Stored));
        result[i] = convert(stored);
    }
    return result;
}

template <typename Stored, typename To>
std::vector<To> cast_all(std::string_view data) {
    return converted<Stored, To>(data, [](Stored stored) { return static_cast<To>(stored); });
}

template <typename To>
std::vector<To> numbers_as(const Tensor& tensor) {
    const std::string_view data = tensor.data.view();
    switch (tensor.type) {
        case DataType::uint8:
            return cast_all<std::uint8_t, To>(data);
        case DataType::int8:
            return cast_all<std::int8_t, To>(data);
        case DataType::uint16:
            return cast_all<std::uint16_t, To>(data);
        case DataType::int16:
            return cast_all<std::int16_t, To>(data);
        case DataType::int32:
            return cast_all<std::int32_t, To>(data);
        case DataType::int64:
            return cast_all<std::int64_t, To>(data);
        case DataType::uint32:
            return cast_all<std::uint32_t, To>(data);
        case DataType::uint64:
            return cast_all<std::uint64_t, To>(data);
        case DataType::boolean:
            return converted<std::uint8_t, To>(
                data, [](std::uint8_t stored) { return static_cast<To>(stored != 0 ? 1 : 0); });
        default:
            return {};
    }
}

// Numbers beyond a floating type's range become its infinities, as C++ does not define the conversion.
float nearest_float(double value) {
    constexpr double largest = std::numeric_limits<float>::max();
    if (std::fabs(value) > largest) {
        // Half a step above the largest float rounds to it.
        const double limit = largest + std::ldexp(1.0, 103);
        const float magnitude = std::fabs(value) < limit ? std::numeric_limits<float>::max()
                                                         : std::numeric_limits<float>::infinity();
        return value < 0 ? -magnitude : magnitude;
    }
    return static_cast<float>(value);
}

template <typename Stored, typename From>
std::string stored_as(const std::vector<From>& values, Stored (*convert)(From)) {
    std::string bytes(values.size() * sizeof(Stored), '\0');
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Stored stored = convert(values[i]);
        std::memcpy(bytes.data() + i * sizeof(Stored), &stored, sizeof(Stored));
    }
    return bytes;
}

// What a float is cut to: numbers outside of int64, and those that are none, become the nearest limit and 0.
std::int64_t cut_off(float value) {
    if (std::isnan(value)) {
        return 0;
    }
    if (value >= 9223372036854775808.0F) {
        return std::numeric_limits<std::int64_t>::max();
    }
    if (value <= -9223372036854775808.0F) {
        return std::numeric_limits<std::int64_t>::min();
    }
    return static_cast<std::int64_t>(value);
}

std::string integers_stored(const std::vector<std::int64_t>& values, DataType type) {
    const auto as = [&values]<typename Stored>(Stored) {
        return stored_as<Stored, std::int64_t>(values,
                                               [](std::int64_t value) { return static_cast<Stored>(value); });
    };
    switch (type) {
        case DataType::uint8:
            return as(std::uint8_t{});
        case DataType::int8:
            return as(std::int8_t{});
        case DataType::uint16:
            return as(std::uint16_t{});
        case DataType::int16:
            return as(std::int16_t{});
        case DataType::int32:
            return as(std::int32_t{});
        case DataType::uint32:
            return as(std::uint32_t{});
        case DataType::uint64:
            return as(std::uint64_t{});
        case DataType::boolean:
            return stored_as<std::uint8_t, std::int64_t>(
                values, [](std::int64_t value) { return static_cast<std::uint8_t>(value != 0 ? 1 : 0); });
        default:
            return as(std::int64_t{});
    }
}

std::string floats_stored(const std::vector<float>& values, DataType type) {
    switch (type) {
        case DataType::float16:
            return stored_as<std::uint16_t, float>(values, half_of_float);
        case DataType::bfloat16:
            return stored_as<std::uint16_t, float>(values, bfloat_of_float);
        case DataType::float64:
            return stored_as<double, float>(values, [](float value) { return static_cast<double>(value); });
        default:
            return stored_as<float, float>(values, [](float value) { return value; });
    }
}

template <typename Kind>
const Kind* attribute_of(const Node& node, std::string_view name, std::string_view kind) {
    const auto found = node.attributes.find(name);
    if (found == node.attributes.end()) {
        return nullptr;
    }
    if (const Kind* value = std::get_if<Kind>(&found->second)) {
        return value;
    }
    throw InputError(node.place() + ": the attribute \"" + detail::readable(name) + "\" is not " +
                     std::string(kind));
}

}  // namespace

std::size_t bytes_of(DataType type) {
    const TypeEntry* entry = entry_of(type);
    return entry == nullptr ? 0 : entry->bytes;
}

std::string_view name_of(DataType type) {
    const TypeEntry* entry = entry_of(type);
    return entry == nullptr ? "an unknown type" : entry->name;
}

bool is_floating(DataType type) {
    return type == DataType::float32 || type == DataType::float16 || type == DataType::float64 ||
           type == DataType::bfloat16;
}

std::string shape_text(const std::vector<std::int64_t>& sizes) {
    return sizes.empty() ? "a number" : fmt::format("{}", fmt::join(sizes, "x"));
}

Bytes::Bytes(std::string content) {
    auto owned = std::make_shared<const std::string>(std::move(content));
    part_ = *owned;
    owner_ = std::move(owned);
}

std::int64_t Tensor::count() const {
    std::int64_t product = 1;
    for (const std::int64_t dim : dims) {
        product *= dim;
    }
    return product;
}

std::vector<float> Tensor::floats() const {
    switch (type) {
        case DataType::float32:
            return cast_all<float, float>(data.view());
        case DataType::float16:
            return converted<std::uint16_t, float>(data.view(), float_of_half);
        case DataType::bfloat16:
            return converted<std::uint16_t, float>(data.view(), float_of_bfloat);
        case DataType::float64:
            return converted<double, float>(data.view(), nearest_float);
        default:
            return numbers_as<float>(*this);
    }
}

std::vector<std::int64_t> Tensor::integers() const {
    if (is_floating(type)) {
        throw InputError("the tensor \"" + detail::readable(name) + "\" holds " + std::string(name_of(type)) +
                         ", expected integers");
    }
    return numbers_as<std::int64_t>(*this);
}

Tensor tensor_of(std::string name, std::vector<std::int64_t> dims, const std::vector<float>& values) {
    return {std::move(name), DataType::float32, std::move(dims),
            Bytes(floats_stored(values, DataType::float32))};
}

Tensor tensor_of(std::string name, std::vector<std::int64_t> dims, const std::vector<std::int64_t>& values) {
    return {std::move(name), DataType::int64, std::move(dims),
            Bytes(integers_stored(values, DataType::int64))};
}

Tensor tensor_as(const Tensor& tensor, DataType type) {
    if (tensor.type == type) {
        return tensor;
    }
    Tensor result{tensor.name, type, tensor.dims, {}};
    if (is_floating(type)) {
        result.data = Bytes(floats_stored(tensor.floats(), type));
    } else if (is_floating(tensor.type)) {
        std::vector<std::int64_t> integers;
        for (const float value : tensor.floats()) {
            // A fraction is true as a boolean, though it is cut off to 0.
            integers.push_back(type == DataType::boolean ? static_cast<std::int64_t>(value != 0.0F)
                                                         : cut_off(value));
        }
        result.data = Bytes(integers_stored(integers, type));
    } else {
        result.data = Bytes(integers_stored(tensor.integers(), type));
    }
    return result;
}

std::optional<std::vector<std::int64_t>> ValueInfo::sizes() const {
    if (!shape) {
        return std::nullopt;
    }
    std::vector<std::int64_t> result;
    for (const Dimension& dimension : *shape) {
        if (!dimension.size) {
            return std::nullopt;
        }
        result.push_back(*dimension.size);
    }
    return result;
}

ValueInfo value_info(std::string name, DataType type, const std::vector<std::int64_t>& sizes) {
    std::vector<Dimension> shape;
    for (const std::int64_t size : sizes) {
        shape.push_back({size, {}});
    }
    return {std::move(name), type, std::move(shape)};
}

const std::int64_t* Node::integer(std::string_view attribute) const {
    return attribute_of<std::int64_t>(*this, attribute, "an integer");
}
const float* Node::number(std::string_view attribute) const {
    return attribute_of<float>(*this, attribute, "a number");
}
const std::string* Node::text(std::string_view attribute) const {
    return attribute_of<std::string>(*this, attribute, "a text");
}
const std::vector<std::int64_t>* Node::integers(std::string_view attribute) const {
    return attribute_of<std::vector<std::int64_t>>(*this, attribute, "a list of integers");
}
const std::vector<float>* Node::numbers(std::string_view attribute) const {
    return attribute_of<std::vector<float>>(*this, attribute, "a list of numbers");
}
const Tensor* Node::tensor(std::string_view attribute) const {
    return attribute_of<Tensor>(*this, attribute, "a tensor");
}

std::int64_t Node::integer(std::string_view attribute, std::int64_t otherwise) const {
    const std::int64_t* value = integer(attribute);
    return value == nullptr ? otherwise : *value;
}
float Node::number(std::string_view attribute, float otherwise) const {
    const float* value = number(attribute);
    return value == nullptr ? otherwise : *value;
}
std::string Node::text(std::string_view attribute, std::string_view otherwise) const {
    const std::string* value = text(attribute);
    return value == nullptr ? std::string(otherwise) : *value;
}
std::vector<std::int64_t> Node::integers(std::string_view attribute,
                                         const std::vector<std::int64_t>& otherwise) const {
    const std::vector<std::int64_t>* value = integers(attribute);
    return value == nullptr ? otherwise : *value;
}

std::string Node::place() const {
    const std::string operation = " (" + detail::readable(op_type) + ")";
    if (!name.empty()) {
        return "node \"" + detail::readable(name) + "\"" + operation;
    }
    if (outputs.empty()) {
        return "a node without name and outputs" + operation;
    }
    return "the node that writes \"" + detail::readable(outputs.front()) + "\"" + operation;
}

const Tensor* Graph::initializer(std::string_view value) const {
    const auto found = std::find_if(initializers.begin(), initializers.end(),
                                    [value](const Tensor& tensor) { return tensor.name == value; });
    return found == initializers.end() ? nullptr : &*found;
}

std::int64_t Model::opset() const {
    const auto found = opsets.find("");
    return found == opsets.end() ? 0 : found->second;
}

bool operator==(const Model& a, const Model& b) {
    return a.ir_version == b.ir_version && a.opsets == b.opsets && a.producer == b.producer &&
           a.producer_version == b.producer_version && a.graph == b.graph && a.wanted_batch == b.wanted_batch;
}

}  // namespace hacscale::onnx
