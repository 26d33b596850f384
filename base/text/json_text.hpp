// A text in a JSON file, of whatever kind of JSON value, as all readers check it.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/text/utf8.hpp"

namespace hacscale {

// Throws InputError for a text with a zero byte, which would end every message that quotes it.
template <typename Json>
void check_text(const Json& value, const std::string& origin) {
    if (value.is_string() && has_zero_byte(value.template get_ref<const std::string&>())) {
        throw InputError(origin + ": has a text with a zero byte (the escape \\u0000)");
    }
}

}  // namespace hacscale
