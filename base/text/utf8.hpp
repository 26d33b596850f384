// Whether text is text.
#pragma once

#include <string>
#include <string_view>

namespace hacscale {

// Well-formed UTF-8 (Unicode 15, table 3-7): no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

// The text with U+FFFD in place of each byte that belongs to no character: names of files and messages of drivers may be of any
// encoding.
std::string as_utf8(std::string_view text);

// The text with "\x1b" in place of each control character (C0 but tab and newline, DEL, and C1): a terminal obeys those, and names in
// files of others may hold them. Its bytes need not be UTF-8.
std::string printable(std::string_view text);

}  // namespace hacscale
