// Where the elements of a padded axis come from, for the reference and for backends.
#pragma once

#include <algorithm>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

constexpr int no_element = -1;

// Of the input's `size` elements along an axis, the one that is at position `out` of the output, `before` elements being added
// in front (or cut off, if negative); no_element where the padding is a number.
inline int padded_element(Mode mode, int out, int before, int size) {
    const int in = out - before;
    if (in >= 0 && in < size) return in;
    if (mode == Mode::edge) return std::clamp(in, 0, size - 1);
    if (mode == Mode::reflect) return in < 0 ? -in : 2 * (size - 1) - in;
    return no_element;
}

}  // namespace hacscale
