// Maximum or mean over a window, NHWC; padding never wins, and counts in a mean only where that is asked for. A thread has one vector of channels at
// one output; windows that overlap meet in L1.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

struct PoolParams {
    const void* input = nullptr;  // [batch][in_height][in_width][channels]
    void* output = nullptr;       // [batch][out_height][out_width][channels]
    int channels = 0;
    int in_height = 0, in_width = 0;
    int kernel_height = 0, kernel_width = 0;
    int stride_height = 1, stride_width = 1;
    int top = 0, left = 0;  // padding
    int dilation_height = 1, dilation_width = 1;
    bool average = false;
    bool count_padding = false;              // as zeros in the mean
    Divisor vectors, out_width, out_height;  // of V channels in all channels
    int count = 0;                           // vectors of the output
};

// Kernel is the side of a maximum's window when it is specialised, else 0.
template <typename T, int V, int Kernel, bool Average>
struct PoolKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    PoolParams params;

    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index >= params.count) return;
        int rest = static_cast<int>(index);
        const int channel = params.vectors.take(rest) * V;
        const int left = params.out_width.take(rest) * params.stride_width - params.left;
        const int top = params.out_height.take(rest) * params.stride_height - params.top;
        const T* image =
            static_cast<const T*>(params.input) +
            static_cast<std::int64_t>(rest) * params.in_height * params.in_width * params.channels + channel;
        float values[V];
        HACSCALE_UNROLL
        for (int i = 0; i < V; ++i) values[i] = Average ? 0.0F : -INFINITY;
        if constexpr (Kernel > 0) {
            take_all(image, top, left, values);
        } else {
            int taken = take_one_by_one(image, top, left, values);
            if constexpr (Average) {
                if (params.count_padding) taken = params.kernel_height * params.kernel_width;
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) values[i] /= static_cast<float>(taken);
            }
        }
        store(values, static_cast<T*>(params.output) + index * V);
    }

private:
    HACSCALE_HD static int clamped(int value, int size) {
        return value < 0 ? 0 : value >= size ? size - 1 : value;
    }
    HACSCALE_HD const T* at(const T* image, int row, int column) const {
        return image + (static_cast<std::int64_t>(row) * params.in_width + column) * params.channels;
    }
    HACSCALE_HD static void take(const Packet<T, V>& packet, float (&result)[V]) {
        float values[V];
        unpack(packet, values);
        HACSCALE_UNROLL
        for (int i = 0; i < V; ++i) {
            if constexpr (Average) {
                result[i] += values[i];
            } else {
                result[i] = values[i] > result[i] ? values[i] : result[i];
            }
        }
    }

    // Every window has an element on the map, and an element that is taken twice changes nothing: so what
    // is off the map is read from the nearest place on it, which is in the window.
    HACSCALE_HD void take_all(const T* image, int top, int left, float (&result)[V]) const {
        Packet<T, V> window[Kernel * Kernel];
        HACSCALE_UNROLL
        for (int i = 0; i < Kernel * Kernel; ++i) {
            window[i] = load_packet<T, V>(at(image, clamped(top + i / Kernel, params.in_height),
                                             clamped(left + i % Kernel, params.in_width)));
        }
        HACSCALE_UNROLL
        for (int i = 0; i < Kernel * Kernel; ++i) take(window[i], result);
    }
    // Returns how many elements the window has on the map: one or more.
    HACSCALE_HD int take_one_by_one(const T* image, int top, int left, float (&result)[V]) const {
        int taken = 0;
        for (int y = 0; y < params.kernel_height; ++y) {
            const int row = top + y * params.dilation_height;
            if (row < 0 || row >= params.in_height) continue;
            for (int x = 0; x < params.kernel_width; ++x) {
                const int column = left + x * params.dilation_width;
                if (column < 0 || column >= params.in_width) continue;
                take(load_packet<T, V>(at(image, row, column)), result);
                ++taken;
            }
        }
        return taken;
    }
};

template <typename Visit>
void with_pool(const PoolParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int width_of_vector = decltype(width)::value;
        // Dilated windows may have no element at the nearest place on the map.
        const bool square = params.kernel_height == params.kernel_width && params.dilation_height == 1 &&
                            params.dilation_width == 1;
        const int side = square ? params.kernel_height : 0;
        if (params.average) {
            visit(PoolKernel<T, width_of_vector, 0, true>{params});
        } else if (side == 3) {
            visit(PoolKernel<T, width_of_vector, 3, false>{params});
        } else if (side == 2) {
            visit(PoolKernel<T, width_of_vector, 2, false>{params});
        } else {
            visit(PoolKernel<T, width_of_vector, 0, false>{params});
        }
    });
}

}  // namespace hacscale::cuda
