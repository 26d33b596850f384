// Transposed convolution over NHWC with fused bias and activation: each output gathers the inputs that are spread over it. For what cuDNN has no
// plan for (uneven pads, many groups); without matrix units. A thread has one vector of channels at one output: of one
// group, whose inputs it reads one by one, or of as many groups, where each has one channel.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

// Along one axis, which input a tap brings to an output.
struct SpreadAxis {
    int in = 0;  // elements
    int kernel = 1, pad = 0, dilation = 1;
    Divisor stride;

    // Negative where there is none.
    HACSCALE_HD int source(int out, int tap) const {
        int element = out + pad - tap * dilation;
        if (element < 0 || stride.take(element) != 0) return -1;
        return element < in ? element : -1;
    }
};

struct TransposedConvParams {
    const void* input = nullptr;  // [batch][in_height][in_width][in_channels]
    const void* weights =
        nullptr;  // [kernel height][kernel width][inputs of a group][out_channels], in the data type
    const float* bias = nullptr;  // [out_channels]
    void* output = nullptr;       // [batch][out_height][out_width][out_channels]
    int in_channels = 0, out_channels = 0;
    int group_inputs = 0;
    Activation activation = Activation::none;
    Divisor group_outputs;
    SpreadAxis rows, columns;
    Divisor vectors, out_width, out_height;  // of V channels in all output channels
    int count = 0;                           // vectors of the output
};

template <typename T, int V, bool Depthwise>
struct TransposedConvKernel {
    static constexpr int phases = 1;
    using Shared = NothingShared;
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;

    TransposedConvParams params;

    static constexpr int threads() { return max_threads; }
    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index < params.count) gather(static_cast<int>(index));
    }

private:
    HACSCALE_HD void gather(int index) const {
        int rest = index;
        const int channel = params.vectors.take(rest) * V;
        const int column = params.out_width.take(rest);
        const int row = params.out_height.take(rest);
        float sums[V];
        load_floats(params.bias + channel, sums);
        for (int y = 0; y < params.rows.kernel; ++y) {
            const int in_row = params.rows.source(row, y);
            for (int x = 0; in_row >= 0 && x < params.columns.kernel; ++x) {
                const int in_column = params.columns.source(column, x);
                if (in_column < 0) continue;
                const std::int64_t pixel =
                    (static_cast<std::int64_t>(rest) * params.rows.in + in_row) * params.columns.in +
                    in_column;
                add_tap(pixel, y * params.columns.kernel + x, channel, sums);
            }
        }
        activate<precision_for<T>>(params.activation, sums);
        store(sums, static_cast<T*>(params.output) + static_cast<std::int64_t>(index) * V);
    }
    HACSCALE_HD void add_tap(std::int64_t pixel, int tap, int channel, float (&sums)[V]) const {
        const T* input = static_cast<const T*>(params.input) + pixel * params.in_channels;
        const T* weight_row = static_cast<const T*>(params.weights) +
                              static_cast<std::int64_t>(tap) * params.group_inputs * params.out_channels +
                              channel;
        float weights[V];
        if constexpr (Depthwise) {
            float values[V];
            load(input + channel, values);
            load(weight_row, weights);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) sums[i] += values[i] * weights[i];
        } else {
            input += params.group_outputs.quotient(channel) * params.group_inputs;
            HACSCALE_UNROLL_BY(4)
            for (int c = 0; c < params.group_inputs; ++c) {
                const float value = to_float(input[c]);
                load(weight_row + static_cast<std::int64_t>(c) * params.out_channels, weights);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[i] += value * weights[i];
            }
        }
    }
};

// `vectors`: the outputs of a group are a multiple of 16 bytes of elements, or, of a depthwise one, all channels are.
template <typename Visit>
void with_transposed_conv(const TransposedConvParams& params, DataType type, bool vectors, Visit&& visit) {
    const bool depthwise = params.group_inputs == 1 && params.group_outputs.value() == 1;
    with_vector(type, vectors, [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int width_of_vector = decltype(width)::value;
        if (depthwise) {
            visit(TransposedConvKernel<T, width_of_vector, true>{params});
        } else {
            visit(TransposedConvKernel<T, width_of_vector, false>{params});
        }
    });
}

}  // namespace hacscale::cuda
