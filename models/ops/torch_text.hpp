// PyTorch code for windows, which its functions know in part.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// ", name=3" or ", name=(3, 1)" where height and width differ; nothing where it is PyTorch's default.
std::string torch_option(std::string_view name, const std::array<int, 2>& values, int otherwise);
// "3", or "(3, 1)".
std::string torch_pair(const std::array<int, 2>& values);

// A window's padding as an option of PyTorch's functions where both sides have the same, at most `most` (of height and
// width), else as a call of F.pad around the input.
struct TorchPadding {
    std::string input;
    std::string option;
};
TorchPadding torch_padding(std::string_view input, const Window& window, const std::array<int, 2>& most,
                           std::string_view fill);

// Pools pad at most half their window.
TorchPadding torch_pool_padding(std::string_view input, const Window& window, std::string_view fill);

}  // namespace hacscale
