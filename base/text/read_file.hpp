// Files that are read whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace hacscale {

// The bytes of a regular file. Throws InputError for one that is not there, is a folder, a device or a pipe, has more than `max_bytes`
// (which is looked at first), or cannot be read.
std::string read_file(const std::filesystem::path& file, std::uintmax_t max_bytes);

// The bytes of a file that this program or the system wrote, whatever its size; empty where it cannot be read.
std::string read_if_there(const std::filesystem::path& file);

// Whether values of the JSON are within each other more than 100 deep. No file needs that, and writing such a value would exhaust the stack.
bool is_nested_deeply(std::string_view json);

// Throws the InputError for text that no JSON reader takes: `name`, the line, and what is there.
[[noreturn]] void refuse_json(const std::string& text, const std::string& name);

}  // namespace hacscale
