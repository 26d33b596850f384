// Work on each element by itself, NHWC: y = activation((x - center) * scale * gate + bias, plus or times another
// tensor). A batch-norm that nothing absorbed, sums, products and gates, activations, the end of norms, and the end of a
// conv that cuDNN could not fuse.
#pragma once

#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

struct PointwiseParams {
    const void* x = nullptr;
    const float* center = nullptr;  // as scale; null subtracts none
    const float* scale = nullptr;   // [channels], or [batch][image_stride]; null scales by one
    const float* bias = nullptr;    // [channels]; null adds none
    const float* slope = nullptr;   // [channels]: of values below zero, before the activation; null: 1
    const void* gate = nullptr;     // [batch][channels] in the data type: a factor; null: 1
    const void* other = nullptr;    // as x; null: there is none
    void* y = nullptr;              // may be x or other
    ActivationStep activation;
    bool multiplies = false;  // by `other`, which is added otherwise
    int image_stride = 0;     // of center and scale; 0: they are the same for all images
    Divisor vectors;          // of V channels, in all channels
    Divisor positions;        // of an image; asked for with a gate or an image_stride only
    int count = 0;            // vectors of the tensor
};

// Each thread has Steps vectors, whose loads are in flight together. AnyActivation: it has code for all of them, which
// for several vectors would not fit the instruction cache.
template <typename T, int V, int Steps, bool AnyActivation>
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
        Packet<T, V> others[Steps] = {};
        HACSCALE_UNROLL
        for (int s = 0; s < Steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i >= params.count) break;
            inputs[s] = load_packet<T, V>(static_cast<const T*>(params.x) + i * V);
            if (params.other != nullptr) {
                others[s] = load_packet<T, V>(static_cast<const T*>(params.other) + i * V);
            }
        }
        HACSCALE_UNROLL
        for (int s = 0; s < Steps; ++s) {
            const std::int64_t i = index(block, thread, s);
            if (i >= params.count) break;
            finish(static_cast<int>(i), inputs[s], others[s]);
        }
    }

private:
    HACSCALE_HD void finish(int i, const Packet<T, V>& input, const Packet<T, V>& packet) const {
        int rest = i;
        const int channel = params.vectors.take(rest) * V;
        const int image =
            params.image_stride != 0 || params.gate != nullptr ? params.positions.quotient(rest) : 0;
        const std::int64_t numbers = static_cast<std::int64_t>(image) * params.image_stride + channel;
        float values[V];
        unpack(input, values);
        float other[V];
        if (params.center != nullptr) {
            load_floats(params.center + numbers, other);
            HACSCALE_UNROLL
            for (int j = 0; j < V; ++j) values[j] -= other[j];
        }
        if (params.scale != nullptr) {
            load_floats(params.scale + numbers, other);
            multiply(values, other);
        }
        if (params.gate != nullptr) {
            const std::int64_t gates =
                static_cast<std::int64_t>(image) * params.vectors.value() * V + channel;
            load(static_cast<const T*>(params.gate) + gates, other);
            multiply(values, other);
        }
        if (params.bias != nullptr) {
            load_floats(params.bias + channel, other);
            add(values, other);
        }
        if (params.other != nullptr) {
            unpack(packet, other);
            if (params.multiplies) {
                multiply(values, other);
            } else {
                add(values, other);
            }
        }
        if (params.slope != nullptr) {
            load_floats(params.slope + channel, other);
            HACSCALE_UNROLL
            for (int j = 0; j < V; ++j) values[j] = values[j] < 0.0F ? values[j] * other[j] : values[j];
        }
        if constexpr (AnyActivation) {
            activate(params.activation, values);
        } else {
            activate(params.activation.kind, values);
        }
        store(values, static_cast<T*>(params.y) + static_cast<std::int64_t>(i) * V);
    }
    HACSCALE_HD static void multiply(float (&values)[V], const float (&factors)[V]) {
        HACSCALE_UNROLL
        for (int j = 0; j < V; ++j) values[j] *= factors[j];
    }
    HACSCALE_HD static void add(float (&values)[V], const float (&summands)[V]) {
        HACSCALE_UNROLL
        for (int j = 0; j < V; ++j) values[j] += summands[j];
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
        if (!is_fused_by_kernels(params.activation.kind)) {
            visit(PointwiseKernel<T, width_of_vector, 1, true>{params});
        } else if (params.count >= pointwise_many) {
            visit(PointwiseKernel<T, width_of_vector, 4, false>{params});
        } else {
            visit(PointwiseKernel<T, width_of_vector, 1, false>{params});
        }
    });
}

}  // namespace hacscale::cuda
