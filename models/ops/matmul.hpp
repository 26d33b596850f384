// The sizes of a matmul layer's matrices, for the reference, the import and backends.
#pragma once

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// Rows x inner by inner x columns, one product a channel. A transposed input has its matrices the other way round.
struct MatmulSizes {
    int rows = 0;
    int inner = 0;
    int columns = 0;
    bool first_transposed = false;
    bool second_transposed = false;
};

inline MatmulSizes matmul_sizes(const LayerSpec& layer) {
    const bool first = layer.mode == Mode::transpose_first || layer.mode == Mode::transpose_both;
    const bool second = layer.mode == Mode::transpose_second || layer.mode == Mode::transpose_both;
    return {first ? layer.in_width : layer.in_height, first ? layer.in_height : layer.in_width, layer.size[1],
            first, second};
}

}  // namespace hacscale
