// The axes of a permute layer's output, for the reference, the import and backends.
#pragma once

#include <array>
#include <cstddef>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// For each axis of the output (channels, height, width), the axis of the input that it is.
constexpr std::array<int, 3> axes_of(Mode order) {
    switch (order) {
        case Mode::order_cwh:
            return {0, 2, 1};
        case Mode::order_hcw:
            return {1, 0, 2};
        case Mode::order_hwc:
            return {1, 2, 0};
        case Mode::order_wch:
            return {2, 0, 1};
        case Mode::order_whc:
            return {2, 1, 0};
        default:
            return {0, 1, 2};
    }
}

inline constexpr std::array permute_orders{Mode::order_cwh, Mode::order_hcw, Mode::order_hwc, Mode::order_wch,
                                           Mode::order_whc};

// Of a group: channels, height, width.
inline std::array<int, 3> axis_sizes(const LayerSpec& layer) {
    return {layer.in_channels / layer.groups, layer.in_height, layer.in_width};
}

// Channels of the output, of all groups.
inline int permuted_channels(const LayerSpec& layer) {
    return layer.groups * axis_sizes(layer)[static_cast<std::size_t>(axes_of(layer.mode)[0])];
}

}  // namespace hacscale
