// Numbers in texts that people and other programs wrote.
#pragma once

#include <optional>
#include <string_view>

namespace hacscale {

// A finite number in C's notation, and nothing else: no spaces, no hexadecimal, no infinity. The whole text, or nothing.
std::optional<double> finite_number(std::string_view text);

}  // namespace hacscale
