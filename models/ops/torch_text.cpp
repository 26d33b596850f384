#include "models/ops/torch_text.hpp"

#include <fmt/format.h>

namespace hacscale {

std::string torch_pair(const std::array<int, 2>& values) {
    return values[0] == values[1] ? fmt::format("{}", values[0])
                                  : fmt::format("({}, {})", values[0], values[1]);
}

std::string torch_option(std::string_view name, const std::array<int, 2>& values, int otherwise) {
    if (values[0] == otherwise && values[1] == otherwise) return "";
    return fmt::format(", {}={}", name, torch_pair(values));
}

TorchPadding torch_padding(std::string_view input, const Window& window, const std::array<int, 2>& most,
                           std::string_view fill) {
    const auto& [top, left, bottom, right] = window.pads;
    if (top == bottom && left == right && top <= most[0] && left <= most[1]) {
        return {std::string(input), torch_option("padding", {top, left}, 0)};
    }
    const std::string value = fill.empty() ? "" : fmt::format(", value={}", fill);
    return {fmt::format("F.pad({}, ({}, {}, {}, {}){})", input, left, right, top, bottom, value), ""};
}

TorchPadding torch_pool_padding(std::string_view input, const Window& window, std::string_view fill) {
    return torch_padding(input, window, {window.kernel[0] / 2, window.kernel[1] / 2}, fill);
}

}  // namespace hacscale
