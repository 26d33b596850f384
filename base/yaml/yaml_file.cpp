#include "base/yaml/yaml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "base/error.hpp"
#include "base/yaml/yaml_reader.hpp"

namespace hacscale::detail {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;
constexpr std::size_t max_name_length = 100;

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

double read_number_between(const YamlNode& node, std::string_view key, double low, double high,
                           const std::string& origin) {
    double value = 0.0;
    const char* end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(node.text.data(), end, value);
    const bool number =
        node.kind == YamlNode::Kind::scalar && !node.quoted && error == std::errc{} && stop == end;
    if (!number || !(value >= low && value <= high)) {
        throw InputError(
            origin, node.line,
            fmt::format("{}: expected a number from {} to {}, found {}", key, low, high, describe(node)));
    }
    return value;
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

}  // namespace hacscale::detail
