// Channels that become blocks of pixels, and the other way about.
#pragma once

#include <array>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// Of a pixel_shuffle or space_to_depth: which of the many channels holds channel `channel` of the few at this row and column
// of a block of LayerSpec::window.strides pixels. Mode::channels_first as PyTorch orders them (ONNX's "CRD"), blocks_first as
// ONNX's "DCR" and its SpaceToDepth do.
inline int channel_of_block(const LayerSpec& layer, int few_channels, int channel, int row, int column) {
    const auto& [rows, columns] = layer.window.strides;
    const int place = row * columns + column;
    return layer.mode == Mode::channels_first ? channel * rows * columns + place
                                              : place * few_channels + channel;
}

}  // namespace hacscale
