#include "models/formats/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/replace_file.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "the file's numbers are copied as they are");

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t header_alignment = 8;
constexpr std::uint64_t max_header_bytes = std::uint64_t{100} << 20;  // the form's own limit

// IEEE 754's binary16.
float from_half(std::uint16_t bits) {
    constexpr int mantissa_bits = 10;
    constexpr int bias = 15;
    const int exponent = bits >> mantissa_bits & 0x1f;
    const int mantissa = bits & 0x3ff;
    const float sign = (bits & 0x8000) != 0 ? -1.0F : 1.0F;
    if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits);
    if (exponent == 0x1f) {
        return mantissa == 0 ? sign * std::numeric_limits<float>::infinity()
                             : std::numeric_limits<float>::quiet_NaN();
    }
    return sign *
           std::ldexp(static_cast<float>(mantissa + (1 << mantissa_bits)), exponent - bias - mantissa_bits);
}

float from_bfloat(std::uint16_t bits) {
    return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

template <typename Stored, typename Convert>
void convert(const std::vector<char>& bytes, std::vector<float>& values, Convert to_float) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        Stored stored;
        std::memcpy(&stored, &bytes[i * sizeof(Stored)], sizeof(Stored));
        values[i] = to_float(stored);
    }
}

// Bytes of a number; 0 for a type that is not read.
std::uint64_t size_of_type(std::string_view type) {
    if (type == "F64") return sizeof(double);
    if (type == "F32") return sizeof(float);
    return type == "F16" || type == "BF16" ? sizeof(std::uint16_t) : 0;
}

// Whole numbers that are not negative; nothing for anything else.
std::optional<std::vector<std::int64_t>> sizes_in(const json& entry, const char* key) {
    const auto list = entry.find(key);
    if (list == entry.end() || !list->is_array()) return std::nullopt;
    std::vector<std::int64_t> sizes;
    for (const json& value : *list) {
        if (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
            return std::nullopt;
        }
        sizes.push_back(value.get<std::int64_t>());
    }
    return sizes;
}

}  // namespace

void SafetensorsFile::fail(const std::string& message) const {
    throw InputError(file_.string() + ": " + message);
}

SafetensorsFile::SafetensorsFile(const fs::path& file) : file_(file), stream_(file, std::ios::binary) {
    std::error_code error;
    const std::uint64_t size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : 0;
    if (error || !stream_ || size == 0) fail("expected a safetensors file, found no file that can be read");
    std::uint64_t length = 0;
    if (size < length_bytes || !stream_.read(reinterpret_cast<char*>(&length), length_bytes)) {
        fail(fmt::format("expected at least {} bytes, found {}", length_bytes, size));
    }
    if (length > max_header_bytes || length > size - length_bytes) {
        fail(fmt::format(
            "its header should have {} bytes, but the file has {}: it is cut short, or no safetensors file",
            length, size));
    }
    std::string written(length, '\0');
    if (!stream_.read(written.data(), static_cast<std::streamsize>(length))) fail("the file cannot be read");
    const json header = json::parse(written, nullptr, false);
    if (!header.is_object()) fail("expected a header that is a JSON object");
    data_begin_ = length_bytes + length;
    const std::uint64_t data_bytes = size - data_begin_;
    for (const auto& [name, value] : header.items()) {
        if (name == "__metadata__") {
            for (const auto& [key, text] : value.items()) {
                if (text.is_string()) metadata_[key] = text.get<std::string>();
            }
            continue;
        }
        const auto fault = [this, &tensor = name](const std::string& expected) {
            fail(fmt::format("{:.200}: expected {}", tensor, expected));
        };
        if (!value.is_object() || !value.contains("dtype") || !value["dtype"].is_string())
            fault("the key dtype with a text");
        const auto shape = sizes_in(value, "shape");
        if (!shape) fault("the key shape with a list of whole numbers");
        const auto place = sizes_in(value, "data_offsets");
        const bool within = place && place->size() == 2 && (*place)[0] <= (*place)[1] &&
                            static_cast<std::uint64_t>((*place)[1]) <= data_bytes;
        if (!within)
            fault(fmt::format("data_offsets, two whole numbers within the {} bytes of data", data_bytes));
        entries_[name] = {value["dtype"].get<std::string>(), *shape, static_cast<std::uint64_t>((*place)[0]),
                          static_cast<std::uint64_t>((*place)[1])};
    }
}

std::vector<float> SafetensorsFile::read(const std::string& name, const std::vector<std::int64_t>& shape) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) fail(fmt::format("expected the tensor {}", name));
    const Entry& entry = found->second;
    if (entry.shape != shape) {
        fail(fmt::format("{}: expected the shape [{}], found [{}]: these are the weights of another network",
                         name, fmt::join(shape, ", "), fmt::join(entry.shape, ", ")));
    }
    const std::uint64_t each = size_of_type(entry.type);
    if (each == 0) {
        fail(fmt::format("{}: expected the data type F32, F16, BF16 or F64, found {:.20}", name, entry.type));
    }
    const std::uint64_t held = entry.end - entry.begin;
    std::uint64_t count = each;
    bool fits = true;
    for (const std::int64_t size : shape) {
        fits = fits && !__builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count);
    }
    if (!fits || held != count) {
        fail(fmt::format("{}: expected data_offsets of {}, found {}", name,
                         fits ? fmt::format("{} bytes", count) : "more bytes than any file has", held));
    }
    count /= each;
    std::vector<char> bytes(count * each);
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(data_begin_ + entry.begin));
    if (!stream_.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
        fail("the file cannot be read");
    std::vector<float> values(count);
    if (entry.type == "F32") convert<float>(bytes, values, [](float value) { return value; });
    if (entry.type == "F64")
        convert<double>(bytes, values, [](double value) { return static_cast<float>(value); });
    if (entry.type == "F16") convert<std::uint16_t>(bytes, values, from_half);
    if (entry.type == "BF16") convert<std::uint16_t>(bytes, values, from_bfloat);
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
        fail(fmt::format("{}: expected numbers, found one that is not finite", name));
    }
    return values;
}

void write_safetensors(const fs::path& file, const std::vector<std::pair<std::string, std::string>>& metadata,
                       const std::vector<NamedTensor>& tensors) {
    nlohmann::ordered_json header;
    for (const auto& [key, text] : metadata) header["__metadata__"][key] = text;
    std::size_t begin = 0;
    for (const NamedTensor& tensor : tensors) {
        const std::size_t end = begin + tensor.values->size() * sizeof(float);
        header[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text = header.dump();
    text.append((header_alignment - text.size() % header_alignment) % header_alignment, ' ');
    const std::uint64_t length = text.size();

    replace_file(file, [&](std::ostream& stream) {
        stream.write(reinterpret_cast<const char*>(&length), length_bytes);
        stream.write(text.data(), static_cast<std::streamsize>(text.size()));
        for (const NamedTensor& tensor : tensors) {
            stream.write(reinterpret_cast<const char*>(tensor.values->data()),
                         static_cast<std::streamsize>(tensor.values->size() * sizeof(float)));
        }
    });
}

}  // namespace hacscale
