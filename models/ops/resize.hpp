// Which elements of the input an element of a resized axis is made of.
#pragma once

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// (1 - share) of the element at `low` and `share` of the one at `high`.
struct ResizeTaps {
    int low = 0;
    int high = 0;
    double share = 0.0;
};

// Of position `out` of `out_size`, from an axis of `in_size` elements. ONNX's Resize has the formulas: "asymmetric" with
// "floor" for Mode::nearest, "half_pixel" with "round_prefer_floor" and "round_prefer_ceil" for nearest_half_pixel and
// nearest_half_pixel_up, "half_pixel" and "align_corners" for the bilinear ones; the scale is out_size / in_size.
ResizeTaps resize_taps(Mode mode, int out, int in_size, int out_size);

}  // namespace hacscale
