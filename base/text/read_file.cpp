#include "base/text/read_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/error.hpp"
#include "base/text/utf8.hpp"

namespace hacscale {
namespace {

// Reads on until something is wrong, and remembers where.
struct PlaceOfFault : nlohmann::json_sax<nlohmann::json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t position, const std::string& last_token,
                     const nlohmann::json::exception&) override {
        byte = position;
        token = last_token;
        return false;
    }

    std::size_t byte = 0;
    std::string token;
};

}  // namespace

std::string read_file(const std::filesystem::path& file, std::uintmax_t max_bytes) {
    const std::string name = file.string();
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) throw InputError(fmt::format("{}: does not exist", name));
    if (!std::filesystem::is_regular_file(status)) {
        throw InputError(fmt::format("{}: is {}, expected a file", name,
                                     std::filesystem::is_directory(status) ? "a folder" : "no regular file"));
    }
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (!error && size > max_bytes) {
        throw InputError(fmt::format("{}: has {} bytes, expected at most {}", name, size, max_bytes));
    }
    std::ifstream stream(file, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.is_open() || stream.bad()) {
        throw InputError(fmt::format("{}: cannot be read ({})", name, std::strerror(errno)));
    }
    return bytes;
}

std::string read_if_there(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

bool is_nested_deeply(std::string_view json) {
    constexpr int max_depth = 100;
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char letter = json[i];
        if (letter == '"') in_text = !in_text;
        if (in_text) {
            if (letter == '\\') ++i;  // a quote after it ends no text
            continue;
        }
        if (letter == '[' || letter == '{') ++depth;
        if (letter == ']' || letter == '}') --depth;
        if (depth > max_depth) return true;
    }
    return false;
}

void refuse_json(const std::string& text, const std::string& name) {
    constexpr std::size_t longest_token = 40;
    PlaceOfFault fault;
    nlohmann::json::sax_parse(text, &fault);
    const std::size_t until = std::min(fault.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(until), '\n');
    std::string found = fault.token.substr(0, longest_token);
    if (!is_utf8(found)) found.clear();
    throw InputError(fmt::format("{}: line {}: is no JSON that can be read{}", name, line,
                                 found.empty() ? "" : fmt::format(", at '{}'", found)));
}

}  // namespace hacscale
