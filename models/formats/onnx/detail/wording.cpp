#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

std::string readable(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string result(text.substr(0, longest));
    for (char& c : result) {
        if (c < ' ' || c > '~' || c == '"') {
            c = '?';
        }
    }
    return text.size() > longest ? result + "..." : result;
}

}  // namespace hacscale::onnx::detail
