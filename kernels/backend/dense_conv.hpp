// Dense convs, on which a device computes fastest: what Backend::peak_layers() is made of.
#pragma once

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// As many channels out as in, and as many pixels.
inline LayerSpec dense_conv(int channels, int pixels, int kernel) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = layer.in_width = pixels;
    layer.window = Window::square(kernel, 1, kernel / 2);
    return layer;
}

}  // namespace hacscale
