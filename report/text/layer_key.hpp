// What a layer's canonical key says, for reading: "conv_i32x56x56_o64_k1_s1_p0_g1_bias_relu6".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hacscale::report {

// "conv", "depthwise conv", "linear", ...; the whole key where it has no such form.
std::string layer_kind(std::string_view key);
// Its output channels: those it names, else its input's.
std::optional<int> layer_width(std::string_view key);

}  // namespace hacscale::report
