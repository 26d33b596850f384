// Texts of a file as messages show them. A foreign file may hold any bytes, and as many as it likes.
#pragma once

#include <string>
#include <string_view>

namespace hacscale::onnx::detail {

// At most 80 characters; what is no printable ASCII is replaced by '?', and so is a quote.
std::string readable(std::string_view text);

// "1x3x224x224"; "a number" for an empty list.
template <typename Sizes>
std::string shape_text(const Sizes& sizes) {
    std::string result;
    for (const auto size : sizes) {
        if (!result.empty()) {
            result += 'x';
        }
        result += std::to_string(size);
    }
    return result.empty() ? "a number" : result;
}

}  // namespace hacscale::onnx::detail
