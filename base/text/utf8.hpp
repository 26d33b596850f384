// Whether text is text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hacscale {

// How many bytes the character has that the text begins with; 0 where it begins with none. Well-formed UTF-8 (Unicode 15, table 3-7)
// has no overlong forms, no surrogates, nothing beyond U+10FFFF.
std::size_t character_at_front(std::string_view text);

// Whether the whole text is well-formed UTF-8.
bool is_utf8(std::string_view text);

// Whether a zero byte is in the text. It would end the text in an exception's what(), and so in every message that quotes it.
bool has_zero_byte(std::string_view text);

// The text with U+FFFD in place of each byte that belongs to no character: names of files and messages of drivers may be of any
// encoding.
std::string as_utf8(std::string_view text);

// The text with "\x1b" in place of each control character (C0 but tab and newline, DEL, and C1): a terminal obeys those, and names in
// files of others may hold them. Its bytes need not be UTF-8.
std::string printable(std::string_view text);

}  // namespace hacscale
