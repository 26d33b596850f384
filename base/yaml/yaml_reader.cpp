#include "base/yaml/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <vector>

#include "base/text/wording.hpp"

namespace hacscale::detail {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;
constexpr std::size_t max_name_length = 100;

[[noreturn]] void fail_expected(const YamlNode& node, std::string_view what, std::string_view expected,
                                const std::string& origin) {
    throw InputError(origin, node.line,
                     fmt::format("{}: expected {}, found {}", what, expected, describe(node)));
}

// The whole plain scalar as a number, nothing when it is none or does not fit.
template <typename Number>
std::optional<Number> parsed(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::scalar || node.quoted) return std::nullopt;
    Number value{};
    const char* end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data(), end, value);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return value;
}

}  // namespace

std::string read_yaml_file(const std::filesystem::path& file, std::string_view what) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
        throw InputError(
            fmt::format("{}: expected {}, a YAML file, found {}", file.string(), what,
                        std::filesystem::exists(file, error) ? "something that is no file" : "no file"));
    }
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw InputError(fmt::format("{}: the file cannot be read; check its permissions", file.string()));
    }
    std::string text(max_file_bytes + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (stream.bad() || !stream.eof()) {
        throw InputError(fmt::format("{}: expected {}, a YAML file of at most {} bytes", file.string(), what,
                                     max_file_bytes));
    }
    return text;
}

int read_integer(const YamlNode& node, std::string_view what, IntegerRange range, const std::string& origin) {
    const std::optional<int> value = parsed<int>(node);
    if (!value || *value < range.low || *value > range.high) {
        fail_expected(node, what, fmt::format("a whole number from {} to {}", range.low, range.high), origin);
    }
    return *value;
}

double read_number(const YamlNode& node, std::string_view what, double above, double at_most,
                   const std::string& origin) {
    const std::optional<double> value = parsed<double>(node);
    if (!value || !(*value > above && *value <= at_most)) {
        fail_expected(node, what, fmt::format("a number above {} and at most {}", above, at_most), origin);
    }
    return *value;
}

double read_number_between(const YamlNode& node, std::string_view key, double low, double high,
                           const std::string& origin) {
    const std::optional<double> value = parsed<double>(node);
    if (!value || !(*value >= low && *value <= high)) {
        fail_expected(node, key, fmt::format("a number from {} to {}", low, high), origin);
    }
    return *value;
}

bool read_boolean(const YamlNode& node, std::string_view what, const std::string& origin) {
    if (node.kind == YamlNode::Kind::scalar && !node.quoted) {
        if (node.text == "true") return true;
        if (node.text == "false") return false;
    }
    fail_expected(node, what, "true or false", origin);
}

std::string read_text(const YamlNode& node, std::string_view what, const std::string& origin) {
    if (node.kind != YamlNode::Kind::scalar) fail_expected(node, what, "text", origin);
    const bool control = std::any_of(node.text.begin(), node.text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (control || node.text.size() > 1000) {
        fail_expected(node, what, "one line of at most 1000 characters", origin);
    }
    return node.text;
}

std::string read_name(const YamlNode& node, std::string_view key, const std::string& origin) {
    std::string text = read_text(node, key, origin);
    const auto allowed = [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
    };
    if (text.empty() || text.size() > max_name_length || text.front() == '.' ||
        !std::all_of(text.begin(), text.end(), allowed)) {
        throw InputError(origin, node.line,
                         fmt::format("{}: expected at most {} letters, digits and . _ -, not beginning with "
                                     "a dot",
                                     key, max_name_length));
    }
    return text;
}

YamlFields::YamlFields(const YamlNode& node, std::string_view what,
                       std::initializer_list<std::string_view> known, const std::string& origin)
    : node_(node), what_(what), origin_(origin) {
    const std::vector<std::string> keys(known.begin(), known.end());
    if (node.kind != YamlNode::Kind::mapping) {
        fail_expected(node, what, fmt::format("a mapping with keys from {}", fmt::join(keys, ", ")), origin);
    }
    for (const YamlEntry& entry : node.entries) {
        if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
        throw InputError(origin, entry.line,
                         fmt::format("{} has no key '{:.60}'{} (keys: {})", what, entry.key,
                                     did_you_mean(entry.key, keys), fmt::join(keys, ", ")));
    }
}

const YamlNode& YamlFields::required(std::string_view key) const {
    const YamlNode* node = find(key);
    if (node == nullptr) {
        throw InputError(origin_, node_.line, fmt::format("{} needs the key '{}'", what_, key));
    }
    return *node;
}

int YamlFields::required_integer(std::string_view key, IntegerRange range) const {
    return read_integer(required(key), key, range, origin_);
}

int YamlFields::integer(std::string_view key, IntegerRange range, int otherwise) const {
    const YamlNode* node = find(key);
    return node == nullptr ? otherwise : read_integer(*node, key, range, origin_);
}

bool YamlFields::boolean(std::string_view key, bool otherwise) const {
    const YamlNode* node = find(key);
    return node == nullptr ? otherwise : read_boolean(*node, key, origin_);
}

}  // namespace hacscale::detail
