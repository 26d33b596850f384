// What the fuzzers share: the contract of every reader, which says that any bytes give a value or an InputError, and that the error's
// text is fit for people.
#pragma once

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/scratch_folder.hpp"
#include "base/text/utf8.hpp"

namespace hacscale::fuzzing {

// Ends a fuzzer, and fails a test: nothing catches it.
inline void require(bool holds, const std::string& what) {
    if (!holds) throw std::logic_error(what);
}

inline std::string without_spaces(std::string_view text) {
    std::string result(text);
    std::erase_if(result, [](unsigned char letter) { return std::isspace(letter) != 0; });
    return result;
}

// The text of a library or of the language is no sentence for people. What the input itself says may be quoted, and its line breaks
// become spaces.
inline void check_text(const std::string& text, std::string_view bytes) {
    constexpr std::array internals{"json.exception", "[json.", "yaml-cpp:",   "badconversion",
                                   "bad_alloc",      "std::",  "basic_string"};
    require(!text.empty() && is_utf8(text), "the error's text is empty or no UTF-8: " + text);
    const std::string compact = without_spaces(text);
    for (const std::string_view word : internals) {
        require(
            compact.find(word) == std::string::npos || without_spaces(bytes).find(word) != std::string::npos,
            "the error's text has the words of a library: " + text);
    }
}

// What `read` makes of the bytes; nothing where it refuses them. Every other exception is a fault.
template <typename Read>
auto accepted(std::string_view bytes, const Read& read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const InputError& error) {
        check_text(error.what(), bytes);
        return std::nullopt;
    }
}

// The folder of the files that the fuzzers write. It is empty at first, and each process has its own.
inline const std::filesystem::path& folder() {
    static const ScratchFolder scratch;
    return scratch.path();
}

// The bytes as a file, for readers that take one. A file of the same name is replaced.
inline std::filesystem::path file_with(std::string_view bytes, const std::string& name) {
    std::filesystem::path file = folder() / name;
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    require(!stream.fail(), "the scratch folder cannot be written");
    return file;
}

}  // namespace hacscale::fuzzing
