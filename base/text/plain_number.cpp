#include "base/text/plain_number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace hacscale {

std::string plain_number(double value, int digits) {
    if (value == 0.0 || !std::isfinite(value)) {
        return fmt::format("{}", value);
    }
    const int places = digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value))));
    std::string text = fmt::format("{:.{}f}", value, std::max(0, places));
    if (text.find('.') != std::string::npos) {
        text.erase(text.find_last_not_of('0') + 1);
        text.erase(text.find_last_not_of('.') + 1);
    }
    return text;
}

}  // namespace hacscale
