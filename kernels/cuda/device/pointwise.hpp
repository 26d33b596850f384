// Work on each element by itself: y = activation(x * scale[c] + bias[c] + residual), NHWC. A batch-norm that
// nothing absorbed, and the end of a conv that cuDNN could not fuse.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

struct PointwiseParams {
    const void* x = nullptr;
    const float* scale = nullptr;    // [channels]; null scales by one
    const float* bias = nullptr;     // [channels]; null adds none
    const void* residual = nullptr;  // as x; null adds none
    void* y = nullptr;               // may be x or residual
    Activation activation = Activation::none;
    Divisor vectors;  // of V channels, in all channels
    int count = 0;    // vectors of the tensor
};

// Each thread has Steps vectors, whose loads are in flight together.
template <typename T, int V, int Steps>
struct PointwiseKernel {
    static constexpr int max_threads = 256;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    PointwiseParams params;

    std::int64_t blocks() const {
        return ceil_div(std::int64_t{params.count}, std::int64_t{max_threads * Steps});
    }
    static constexpr int threads() { return max_threads; }
    // Neighbouring threads have neighbouring vectors in every step. May be beyond the tensor's end.
    HACSCALE_HD static constexpr std::int64_t index(int block, int thread, int step) {
        return (std::int64_t{block} * Steps + step) * max_threads + thread;
    }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        Packet<T, V> inputs[Steps] = {};
        Packet<T, V> residuals[Steps] = {};
        HACSCALE_UNROLL
        for (int s = 0; s < Steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i >= params.count) break;
            inputs[s] = load_packet<T, V>(static_cast<const T*>(params.x) + i * V);
            if (params.residual != nullptr) {
                residuals[s] = load_packet<T, V>(static_cast<const T*>(params.residual) + i * V);
            }
        }
        HACSCALE_UNROLL
        for (int s = 0; s < Steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i >= params.count) break;
            finish(static_cast<int>(i), inputs[s], residuals[s]);
        }
    }

private:
    HACSCALE_HD void finish(int i, const Packet<T, V>& input, const Packet<T, V>& residual) const {
        int rest = i;
        const int channel = params.vectors.take(rest) * V;
        float values[V];
        unpack(input, values);
        float other[V];
        if (params.scale != nullptr) {
            load_floats(params.scale + channel, other);
            HACSCALE_UNROLL
            for (int j = 0; j < V; ++j) values[j] *= other[j];
        }
        if (params.bias != nullptr) {
            load_floats(params.bias + channel, other);
            HACSCALE_UNROLL
            for (int j = 0; j < V; ++j) values[j] += other[j];
        }
        if (params.residual != nullptr) {
            unpack(residual, other);
            HACSCALE_UNROLL
            for (int j = 0; j < V; ++j) values[j] += other[j];
        }
        activate(params.activation, values);
        store(values, static_cast<T*>(params.y) + static_cast<std::int64_t>(i) * V);
    }
};

// Where there is work for all multiprocessors of any device, a thread takes four vectors.
constexpr int pointwise_many = 1 << 18;

// Calls visit(kernel) with the kernel made for these parameters.
template <typename Visit>
void with_pointwise(const PointwiseParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int width_of_vector = decltype(width)::value;
        if (params.count >= pointwise_many) {
            visit(PointwiseKernel<T, width_of_vector, 4>{params});
        } else {
            visit(PointwiseKernel<T, width_of_vector, 1>{params});
        }
    });
}

}  // namespace hacscale::cuda
