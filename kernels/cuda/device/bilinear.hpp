// A map at another height and width, between the two nearest elements of each axis, NHWC. A thread has one vector of channels at
// one output. Which elements those are, and how much of each, comes from tables (models/ops/resize.hpp).
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

// (1 - share) of the element at `low` and `share` of the one behind it; of `low` alone where the share is 0.
struct AxisTap {
    int low = 0;
    float share = 0.0F;
};

struct BilinearParams {
    const void* input = nullptr;       // [batch][in_height][in_width][channels]
    const AxisTap* rows = nullptr;     // [out_height]
    const AxisTap* columns = nullptr;  // [out_width]
    void* output = nullptr;            // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0;
    Divisor vectors, out_width, out_height;  // of V channels in all channels
    int count = 0;                           // vectors of the output
};

template <typename T, int V>
struct BilinearKernel {
    using Shared = NothingShared;
    static constexpr int phases = 1;
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;

    BilinearParams params;

    static constexpr int threads() { return max_threads; }
    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index < params.count) resize(static_cast<int>(index));
    }

private:
    HACSCALE_HD void resize(int index) const {
        int rest = index;
        const int channel = params.vectors.take(rest) * V;
        const AxisTap column = params.columns[params.out_width.take(rest)];
        const AxisTap row = params.rows[params.out_height.take(rest)];
        const int right = column.share > 0.0F ? 1 : 0;
        const int below = row.share > 0.0F ? 1 : 0;
        const T* corner =
            static_cast<const T*>(params.input) +
            ((static_cast<std::int64_t>(rest) * params.in_height + row.low) * params.in_width + column.low) *
                params.channels +
            channel;
        const std::int64_t line = static_cast<std::int64_t>(below) * params.in_width * params.channels;
        const std::int64_t next = static_cast<std::int64_t>(right) * params.channels;
        Packet<T, V> packets[4] = {load_packet<T, V>(corner), load_packet<T, V>(corner + next),
                                   load_packet<T, V>(corner + line), load_packet<T, V>(corner + line + next)};
        float values[4][V];
        HACSCALE_UNROLL
        for (int i = 0; i < 4; ++i) unpack(packets[i], values[i]);
        HACSCALE_UNROLL
        for (int i = 0; i < V; ++i) {
            const float above = between(values[0][i], values[1][i], column.share);
            values[0][i] = between(above, between(values[2][i], values[3][i], column.share), row.share);
        }
        store(values[0], static_cast<T*>(params.output) + static_cast<std::int64_t>(index) * V);
    }
    HACSCALE_HD static float between(float low, float high, float share) {
        return low + share * (high - low);
    }
};

template <typename Visit>
void with_bilinear(const BilinearParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(BilinearKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
