// Answers in JSON, laid out for people as well: two spaces a level, keys in the order they were put in. Slow
// to compile: include it in .cpp files only.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>
#include <string>

namespace hacscale::cli {}
namespace hacscale::harness {
using namespace cli;
}

namespace hacscale::cli {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 (a file name) is written with replacement characters rather than refused; a number
// that is not finite is written as null.
inline std::string text_of(const Json& value) {
    return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

inline void print_json(std::ostream& out, const Json& value) {
    out << text_of(value);
}

}  // namespace hacscale::cli
