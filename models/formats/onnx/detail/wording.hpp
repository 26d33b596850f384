// Texts of a file as messages show them. A foreign file may hold any bytes, and as many as it likes.
#pragma once

#include <string>
#include <string_view>

namespace hacscale::onnx::detail {

// At most 80 characters; what is no printable ASCII is replaced by '?', and so is a quote.
std::string readable(std::string_view text);

}  // namespace hacscale::onnx::detail
