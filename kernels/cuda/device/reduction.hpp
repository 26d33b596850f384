// Sums over the threads of a block, through its shared memory: each of `lanes` threads has left one row of
// `width` numbers. A few long sums would leave most threads idle, so these are added in two steps. The order
// of additions is fixed, so that equal inputs give equal outputs.
#pragma once

#include <algorithm>

#include "kernels/cuda/device/host_device.hpp"

namespace hacscale::cuda {

struct LaneSums {
    Divisor width;  // numbers of a row
    int lanes = 1;  // rows
    int parts = 1;  // rows after the first step

    // First step, in place: row q becomes the sum of rows q, q + parts, q + 2 parts, ...
    HACSCALE_HD void add_to_parts(float* rows, int thread, int threads) const {
        const int count = parts * width.value();
        for (int i = thread; i < count; i += threads) {
            int row = i;
            const int column = width.take(row);
            float sum = 0.0F;
            HACSCALE_UNROLL_BY(4)
            for (; row < lanes; row += parts) sum += rows[row * width.value() + column];
            rows[i] = sum;
        }
    }
    // Second step: the sum of a column.
    HACSCALE_HD float total(const float* rows, int column) const {
        float sum = 0.0F;
        HACSCALE_UNROLL_BY(4)
        for (int row = 0; row < parts; ++row) sum += rows[row * width.value() + column];
        return sum;
    }
};

// As many parts as the block has threads for, but none of less than four rows.
inline LaneSums lane_sums(int lanes, int width, int threads) {
    return {Divisor(width), lanes, std::clamp(threads / width, 1, std::max(1, lanes / 4))};
}

}  // namespace hacscale::cuda
