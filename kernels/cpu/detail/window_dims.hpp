// A layer's window as oneDNN is told of it.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cpu {

struct WindowDims {
    dnnl::memory::dims kernel, strides, dilations, near_padding, far_padding;
};

// oneDNN counts the elements that a dilation leaves out. The far side is padded no further than the last window
// reaches, or cut where windows leave a rest, as oneDNN checks the sizes exactly.
inline WindowDims window_dims(const LayerSpec& layer) {
    const Window& window = layer.window;
    const auto far = [&](int in, int out, int axis) {
        return dnnl::memory::dim{window.first(out - 1, axis) + window.span(axis) - in};
    };
    return {{window.kernel[0], window.kernel[1]},
            {window.strides[0], window.strides[1]},
            {window.dilations[0] - 1, window.dilations[1] - 1},
            {window.pads[0], window.pads[1]},
            {far(layer.in_height, layer.out_height(), 0), far(layer.in_width, layer.out_width(), 1)}};
}

}  // namespace hacscale::cpu
