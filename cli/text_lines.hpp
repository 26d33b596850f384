// Text in lines of a terminal's width.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace hacscale::cli {

constexpr std::size_t answer_columns = 80;
// What a command ends with, at most; the rest is shown with --details.
constexpr std::size_t answer_lines_at_most = 20;

// Breaks at spaces; lines after the first begin with `indent` spaces. A word longer than a line stays whole,
// so that paths can be copied.
std::vector<std::string> wrapped(const std::string& text, std::size_t indent = 0,
                                 std::size_t columns = answer_columns);

void print_lines(std::ostream& out, const std::vector<std::string>& lines);

// Characters rather than bytes: continuation bytes of UTF-8 take no place.
std::size_t width_of(const std::string& text);

// "1 network", "3 networks".
std::string counted(std::size_t count, const std::string& noun);

}  // namespace hacscale::cli
