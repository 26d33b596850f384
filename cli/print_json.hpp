// Answers in JSON, laid out for people as well: two spaces a level, keys in the order they were put in. Slow
// to compile: include it in .cpp files only.
#pragma once

#include <nlohmann/json.hpp>
#include <ostream>

namespace hacscale::cli {

using Json = nlohmann::ordered_json;

// Text that is not UTF-8 (a file name) is printed with replacement characters rather than refused; a number
// that is not finite is printed as null.
inline void print_json(std::ostream& out, const Json& value) {
    out << value.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace hacscale::cli
