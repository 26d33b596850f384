#include "base/text/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace hacscale {

std::optional<double> finite_number(std::string_view text) {
    // What from_chars takes besides ("inf", "nan", hexadecimal digits after a p) begins with a letter.
    const auto is_part = [](char c) {
        return (c >= '0' && c <= '9') || std::string_view("+-.eE").find(c) != std::string_view::npos;
    };
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_part)) return std::nullopt;
    const char* const begin = text.data() + (text.front() == '+' ? 1 : 0);
    const char* const end = text.data() + text.size();
    double number = 0.0;
    const auto [rest, error] = std::from_chars(begin, end, number);
    if (error != std::errc{} || rest != end || !std::isfinite(number)) return std::nullopt;
    return number;
}

}  // namespace hacscale
