// Maximum over a window, NHWC. A thread has one vector of channels at one output; windows that overlap meet
// in L1.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

struct MaxPoolParams {
    const void* input = nullptr;  // [batch][in_height][in_width][channels]
    void* output = nullptr;       // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0;
    int kernel = 0, stride = 1, padding = 0;
    Divisor vectors, out_width, out_height;  // of V channels in all channels
    int count = 0;                           // vectors of the output
};

template <typename T, int V>
struct MaxPoolKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    MaxPoolParams params;

    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index >= params.count) return;
        int rest = static_cast<int>(index);
        const int channel = params.vectors.take(rest) * V;
        const int left = params.out_width.take(rest) * params.stride - params.padding;
        const int top = params.out_height.take(rest) * params.stride - params.padding;
        const T* image =
            static_cast<const T*>(params.input) +
            static_cast<std::int64_t>(rest) * params.in_height * params.in_width * params.channels + channel;
        float best[V];
        HACSCALE_UNROLL
        for (int i = 0; i < V; ++i) best[i] = -INFINITY;
        const int first_row = top < 0 ? 0 : top;
        const int last_row = top + params.kernel < params.in_height ? top + params.kernel : params.in_height;
        const int first_column = left < 0 ? 0 : left;
        const int last_column =
            left + params.kernel < params.in_width ? left + params.kernel : params.in_width;
        for (int row = first_row; row < last_row; ++row) {
            for (int column = first_column; column < last_column; ++column) {
                float values[V];
                load(image + (static_cast<std::int64_t>(row) * params.in_width + column) * params.channels,
                     values);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) best[i] = values[i] > best[i] ? values[i] : best[i];
            }
        }
        store(best, static_cast<T*>(params.output) + index * V);
    }
};

template <typename Visit>
void with_max_pool(const MaxPoolParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(MaxPoolKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
