#include "models/formats/onnx/detail/read_tensor.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <protozero/varint.hpp>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

constexpr std::size_t max_dimensions = 32;
constexpr std::uint64_t max_tensor_bytes = std::uint64_t{1} << 40;

// The lists that hold numbers of each type outside of raw_data; each is the parts of the message that had its field.
struct TypedLists {
    std::vector<std::string_view> floats, doubles, int32s, int64s, uint64s;

    std::size_t lists_used() const {
        return static_cast<std::size_t>(!floats.empty()) + static_cast<std::size_t>(!doubles.empty()) +
               static_cast<std::size_t>(!int32s.empty()) + static_cast<std::size_t>(!int64s.empty()) +
               static_cast<std::size_t>(!uint64s.empty());
    }
    const std::vector<std::string_view>& of(DataType type) const {
        switch (type) {
            case DataType::float32:
                return floats;
            case DataType::float64:
                return doubles;
            case DataType::int64:
                return int64s;
            case DataType::uint32:
            case DataType::uint64:
                return uint64s;
            default:
                return int32s;
        }
    }
};

struct Message {
    Tensor tensor;
    std::int64_t data_type = 0;
    std::optional<std::string_view> raw;
    TypedLists typed;
    bool has_texts = false;
    bool is_segment = false;
    std::int64_t location = 0;
    std::vector<std::string_view> external;
};

Message parsed(std::string_view bytes, Budget& budget) {
    Message message;
    Fields fields(bytes, "TensorProto", budget);
    while (fields.next()) {
        switch (fields.field()) {
            case field::tensor::dims:
                fields.add_integers(message.tensor.dims);
                break;
            case field::tensor::data_type:
                message.data_type = fields.integer();
                break;
            case field::tensor::name:
                message.tensor.name = fields.text();
                break;
            case field::tensor::raw_data:
                message.raw = fields.bytes();
                break;
            case field::tensor::float_data:
                message.typed.floats.push_back(fields.fixed_numbers(sizeof(float)));
                break;
            case field::tensor::double_data:
                message.typed.doubles.push_back(fields.fixed_numbers(sizeof(double)));
                break;
            case field::tensor::int32_data:
                message.typed.int32s.push_back(fields.encoded_integers());
                break;
            case field::tensor::int64_data:
                message.typed.int64s.push_back(fields.encoded_integers());
                break;
            case field::tensor::uint64_data:
                message.typed.uint64s.push_back(fields.encoded_integers());
                break;
            case field::tensor::string_data:
                message.has_texts = true;
                fields.skip();
                break;
            case field::tensor::segment:
                message.is_segment = true;
                fields.skip();
                break;
            case field::tensor::data_location:
                message.location = fields.integer();
                break;
            case field::tensor::external_data:
                message.external.push_back(fields.bytes());
                break;
            default:
                fields.skip();
        }
    }
    return message;
}

// The bytes that the numbers of these dimensions take.
std::uint64_t bytes_needed(const Tensor& tensor) {
    if (tensor.dims.size() > max_dimensions) {
        throw InputError("it has " + std::to_string(tensor.dims.size()) + " dimensions, expected at most " +
                         std::to_string(max_dimensions));
    }
    std::uint64_t bytes = bytes_of(tensor.type);
    bool is_empty = false;
    for (const std::int64_t dim : tensor.dims) {
        if (dim < 0) {
            throw InputError("its shape " + shape_text(tensor.dims) + " has a negative size");
        }
        is_empty = is_empty || dim == 0;
        const std::uint64_t factor = std::max<std::uint64_t>(static_cast<std::uint64_t>(dim), 1);
        if (bytes > max_tensor_bytes / factor) {
            throw InputError("its shape " + shape_text(tensor.dims) + " needs more than " +
                             std::to_string(max_tensor_bytes) + " bytes");
        }
        bytes *= factor;
    }
    return is_empty ? 0 : bytes;
}

[[noreturn]] void refuse_size(const Tensor& tensor, std::uint64_t has, std::uint64_t needed) {
    throw InputError("it has " + std::to_string(has) + " bytes of numbers, its shape " +
                     shape_text(tensor.dims) + " of " + std::string(name_of(tensor.type)) + " needs " +
                     std::to_string(needed));
}

std::uint64_t text_number(std::string_view key, std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        throw InputError("its external data has the " + std::string(key) + " \"" + readable(text) +
                         "\", expected a whole number");
    }
    return value;
}

Bytes external_numbers(const Message& message, std::uint64_t needed, Source& source) {
    ExternalPart part;
    part.bytes = needed;
    for (const std::string_view bytes : message.external) {
        std::string key;
        std::string value;
        Fields fields(bytes, "StringStringEntryProto", source.budget);
        while (fields.next()) {
            switch (fields.field()) {
                case field::entry::key:
                    key = fields.text();
                    break;
                case field::entry::value:
                    value = fields.text();
                    break;
                default:
                    fields.skip();
            }
        }
        if (key == "location") {
            part.location = value;
        }
        if (key == "offset") {
            part.offset = text_number(key, value);
        }
        if (key == "length" && text_number(key, value) != needed) {
            refuse_size(message.tensor, text_number(key, value), needed);
        }
    }
    return source.external.part(part);
}

// Numbers of a fixed size are in the file as they are in memory.
Bytes fixed_numbers(const std::vector<std::string_view>& parts, const Bytes& file) {
    if (parts.size() == 1) {
        return file.part(parts.front());
    }
    std::string joined;
    for (const std::string_view part : parts) {
        joined += part;
    }
    return Bytes(std::move(joined));
}

Bytes decoded_integers(const Message& message, const std::vector<std::string_view>& parts,
                       std::uint64_t needed, Budget& budget) {
    const std::size_t size = bytes_of(message.tensor.type);
    std::uint64_t count = 0;
    for (const std::string_view part : parts) {
        // The last byte of each integer has no high bit.
        count += static_cast<std::uint64_t>(
            std::count_if(part.begin(), part.end(), [](char c) { return (c & 0x80) == 0; }));
    }
    if (count * size != needed) {
        refuse_size(message.tensor, count * size, needed);
    }
    budget.take_decoded(needed);
    std::string numbers(needed, '\0');
    std::size_t at = 0;
    for (const std::string_view part : parts) {
        const char* read = part.data();
        const char* end = part.data() + part.size();
        while (read != end) {
            const std::uint64_t value = protozero::decode_varint(&read, end);
            std::memcpy(numbers.data() + at, &value, size);  // the low bytes come first
            at += size;
        }
    }
    return Bytes(std::move(numbers));
}

Bytes numbers_of(const Message& message, Source& source) {
    const std::uint64_t needed = bytes_needed(message.tensor);
    constexpr std::int64_t is_external = 1;
    if (message.location == is_external) {
        return external_numbers(message, needed, source);
    }
    if (message.location != 0) {
        throw InputError("its data_location is " + std::to_string(message.location) + ", expected 0 or 1");
    }
    if (message.raw) {
        if (message.typed.lists_used() > 0) {
            throw InputError("it has raw_data and a list of numbers as well");
        }
        if (message.raw->size() != needed) {
            refuse_size(message.tensor, message.raw->size(), needed);
        }
        return source.file.part(*message.raw);
    }
    const std::vector<std::string_view>& parts = message.typed.of(message.tensor.type);
    if (message.typed.lists_used() > (parts.empty() ? 0U : 1U)) {
        throw InputError("it has numbers in a list of another type");
    }
    if (parts.empty()) {
        if (needed != 0) {
            refuse_size(message.tensor, 0, needed);
        }
        return {};
    }
    if (message.tensor.type != DataType::float32 && message.tensor.type != DataType::float64) {
        return decoded_integers(message, parts, needed, source.budget);
    }
    Bytes numbers = fixed_numbers(parts, source.file);
    if (numbers.size() != needed) {
        refuse_size(message.tensor, numbers.size(), needed);
    }
    return numbers;
}

}  // namespace

Tensor read_tensor(std::string_view bytes, Source& source) {
    source.budget.take_item();
    Message message = parsed(bytes, source.budget);
    try {
        constexpr std::int64_t texts = 8;
        if (message.has_texts || message.data_type == texts) {
            throw InputError("it holds texts, expected numbers");
        }
        if (message.is_segment) {
            throw InputError("it is stored in segments, which no exporter writes");
        }
        message.tensor.type = static_cast<DataType>(message.data_type);
        if (message.data_type != static_cast<std::int32_t>(message.data_type) ||
            bytes_of(message.tensor.type) == 0) {
            throw InputError("it has the data type " + std::to_string(message.data_type) +
                             ", expected floats, integers or booleans of 8 to 64 bits");
        }
        message.tensor.data = numbers_of(message, source);
    } catch (const InputError& error) {
        throw InputError("tensor \"" + readable(message.tensor.name) + "\": " + error.what());
    }
    return std::move(message.tensor);
}

}  // namespace hacscale::onnx::detail
