// Work on each element by itself, NHWC: y = activation((x - center) * scale + bias, then plus, times or over another
// tensor). A batch-norm that nothing absorbed, sums, products and gates, activations, the end of norms, and the end of a
// conv that cuDNN could not fuse.
#pragma once

#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

// What each element is combined with by its second tensor: an element, a number of its image's channel, or of its pixel.
enum class OtherShape { same, channels, pixels };
enum class Combine { add, multiply, divide };

struct PointwiseParams {
    const void* x = nullptr;
    const float* center = nullptr;  // as scale; null subtracts none
    const float* scale = nullptr;   // [channels], or [batch][image_stride]; null scales by one
    const float* bias = nullptr;    // [channels]; null adds none
    const float* slope = nullptr;   // [channels]: of values below zero, before the activation; null: 1
    const void* other = nullptr;    // in the data type; null: there is none
    void* y = nullptr;              // may be x or other
    ActivationStep activation;
    OtherShape other_shape = OtherShape::same;
    Combine combine = Combine::add;
    int image_stride = 0;  // of center and scale; 0: they are the same for all images
    Divisor vectors;       // of V channels, in all channels
    Divisor positions;     // of an image; asked for where numbers are of an image
    int count = 0;         // vectors of the tensor
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
            if (params.other != nullptr && params.other_shape == OtherShape::same) {
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
        const bool by_image = params.image_stride != 0 || params.other_shape == OtherShape::channels;
        const int image = by_image ? params.positions.quotient(rest) : 0;
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
        if (params.bias != nullptr) {
            load_floats(params.bias + channel, other);
            add(values, other);
        }
        if (params.other != nullptr) {
            load_other(packet, rest, image, channel, other);
            if (params.combine == Combine::add) add(values, other);
            if (params.combine == Combine::multiply) multiply(values, other);
            if (params.combine == Combine::divide) {
                HACSCALE_UNROLL
                for (int j = 0; j < V; ++j) values[j] /= other[j];
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
    HACSCALE_HD void load_other(const Packet<T, V>& packet, int position, int image, int channel,
                                float (&other)[V]) const {
        if (params.other_shape == OtherShape::same) return unpack(packet, other);
        const T* const from = static_cast<const T*>(params.other);
        if (params.other_shape == OtherShape::channels) {
            return load(from + static_cast<std::int64_t>(image) * params.vectors.value() * V + channel,
                        other);
        }
        const float number = to_float(from[position]);
        HACSCALE_UNROLL
        for (int j = 0; j < V; ++j) other[j] = number;
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
