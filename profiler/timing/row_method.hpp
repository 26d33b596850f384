// How the times of layers inside their network are taken.
#pragma once

#include <cstdint>
#include <string_view>

namespace hacscale {

enum class RowMethod : std::uint8_t {
    // A clock read between every two layers (NetworkRunner::run_timed), and where reading it takes time, that is
    // taken off evenly (clock_cost.hpp).
    stopwatch,
    // What the network takes up to a layer, minus what it takes up to the layer before
    // (NetworkRunner::time_prefixes). On GPUs only.
    prefix,
};

std::string_view name_of(RowMethod method);
RowMethod row_method_from_name(std::string_view name);  // throws InputError

}  // namespace hacscale
