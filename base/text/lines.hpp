// Text in lines of a terminal's width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hacscale {

constexpr std::size_t answer_columns = 80;

// Breaks at spaces; lines after the first begin with `indent` spaces. A word longer than a line stays whole,
// so that paths can be copied.
std::vector<std::string> wrapped(const std::string& text, std::size_t indent = 0,
                                 std::size_t columns = answer_columns);

// Characters rather than bytes: continuation bytes of UTF-8 take no place.
std::size_t width_of(const std::string& text);

// "1 network", "3 networks".
std::string counted(std::size_t count, const std::string& noun);

std::string with_separators(std::int64_t number);  // 1234567 -> "1,234,567"

}  // namespace hacscale
