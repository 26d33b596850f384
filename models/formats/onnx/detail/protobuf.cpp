#include "models/formats/onnx/detail/protobuf.hpp"

#include <cstring>

#include "base/error.hpp"

namespace hacscale::onnx::detail {

namespace {

constexpr std::size_t max_items = 2'000'000;
constexpr std::size_t max_numbers = 16'000'000;

std::string_view kind_of(protozero::pbf_wire_type type) {
    switch (type) {
        case protozero::pbf_wire_type::varint:
            return "an integer";
        case protozero::pbf_wire_type::fixed64:
            return "a number of 64 bits";
        case protozero::pbf_wire_type::fixed32:
            return "a number of 32 bits";
        default:
            return "text or a message";
    }
}

}  // namespace

void Budget::take_item() {
    if (++items > max_items) {
        throw InputError(
            "the model has more than " + std::to_string(max_items) +
            " nodes, names, attributes and tensors; no network that HACScale measures has as many");
    }
}

void Budget::take_number() {
    if (++numbers > max_numbers) {
        throw InputError("the lists in attributes have more than " + std::to_string(max_numbers) +
                         " numbers in all");
    }
}

void Budget::take_decoded(std::uint64_t bytes) {
    decoded_bytes += bytes;
    if (decoded_bytes > max_decoded_bytes) {
        throw InputError("integers of tensors that are not in raw_data take more than " +
                         std::to_string(max_decoded_bytes) + " bytes in memory");
    }
}

void Fields::expect(protozero::pbf_wire_type type, std::string_view kind) const {
    if (reader_.wire_type() != type) {
        throw InputError("field " + std::to_string(field()) + " of a " + std::string(message_) + " holds " +
                         std::string(kind_of(reader_.wire_type())) + ", expected " + std::string(kind));
    }
}

std::int64_t Fields::integer() {
    expect(protozero::pbf_wire_type::varint, "an integer");
    return reader_.get_int64();
}

float Fields::number() {
    expect(protozero::pbf_wire_type::fixed32, "a number of 32 bits");
    return reader_.get_float();
}

std::string_view Fields::bytes() {
    expect(protozero::pbf_wire_type::length_delimited, "text or a message");
    const protozero::data_view view = reader_.get_view();
    return {view.data(), view.size()};
}

std::string Fields::text() {
    return std::string(bytes());
}

void Fields::add_integers(std::vector<std::int64_t>& list) {
    if (reader_.wire_type() == protozero::pbf_wire_type::varint) {
        budget_->take_number();
        list.push_back(reader_.get_int64());
        return;
    }
    expect(protozero::pbf_wire_type::length_delimited, "integers");
    for (const std::int64_t value : reader_.get_packed_int64()) {
        budget_->take_number();
        list.push_back(value);
    }
}

void Fields::add_numbers(std::vector<float>& list) {
    const std::string_view packed = fixed_numbers(sizeof(float));
    for (std::size_t i = 0; i < packed.size(); i += sizeof(float)) {
        budget_->take_number();
        std::memcpy(&list.emplace_back(), packed.data() + i, sizeof(float));
    }
}

std::string_view Fields::fixed_numbers(std::size_t bytes_each) {
    const bool wide = bytes_each == sizeof(std::uint64_t);
    if (reader_.wire_type() == protozero::pbf_wire_type::length_delimited) {
        const std::string_view packed = bytes();
        if (packed.size() % bytes_each != 0) {
            throw InputError("field " + std::to_string(field()) + " of a " + std::string(message_) + " has " +
                             std::to_string(packed.size()) + " bytes, expected numbers of " +
                             std::to_string(bytes_each) + " bytes");
        }
        return packed;
    }
    expect(wide ? protozero::pbf_wire_type::fixed64 : protozero::pbf_wire_type::fixed32, "numbers");
    const char* start = reader_.data().data();
    reader_.skip();
    return {start, bytes_each};
}

std::string_view Fields::encoded_integers() {
    if (reader_.wire_type() == protozero::pbf_wire_type::length_delimited) {
        return bytes();
    }
    expect(protozero::pbf_wire_type::varint, "integers");
    const char* start = reader_.data().data();
    reader_.skip();
    return {start, static_cast<std::size_t>(reader_.data().data() - start)};
}

}  // namespace hacscale::onnx::detail
