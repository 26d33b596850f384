// The steps of a squeeze-excite that its kernels share: the first product, cut into rows and columns of its
// matrix as a kernel needs it, and the second product, which becomes the gates of a block's channels. Vectors
// are in shared memory, matrices in device or shared memory.
#pragma once

#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/channel_tiling.hpp"
#include "kernels/cuda/device/elements.hpp"

namespace hacscale::cuda {

// What the kernels that compute the gates from the tensor or its sums, and apply them, have in common.
struct SqueezeExciteParams {
    const void* input = nullptr;     // [batch][positions][channels]
    const void* weights = nullptr;   // [squeeze][channels]
    const float* bias = nullptr;     // [squeeze]
    const void* weights2 = nullptr;  // [squeeze][channels]: the second product's matrix, transposed
    const float* bias2 = nullptr;    // [channels]
    void* output = nullptr;          // as the input
    int channels = 0;
    int squeeze = 0;
    ActivationStep activation;
    Activation gate = Activation::sigmoid;
    ChannelTiling tiling;
};

// Rows of a matrix [rows][columns], or every `step`-th of them, and neighbouring columns.
template <typename T>
struct MatrixPart {
    const T* first = nullptr;
    int rows = 0;
    int vectors = 0;          // of V columns
    std::int64_t stride = 0;  // elements from one of these rows to the next
};

constexpr int product_lanes = 16;                 // threads that share a row of the first product
constexpr int product_pitch = product_lanes + 1;  // floats from row to row: rows start in different banks

// parts[row][lane] = what this thread adds to (matrix vector)[row]; of `product_pitch` floats a row.
template <typename T, int V>
HACSCALE_HD void multiply_rows(const MatrixPart<T>& matrix, const float* vector, float* parts, int thread,
                               int threads) {
    constexpr int together = 6;  // loads in flight
    const int lane = thread % product_lanes;
    for (int row = thread / product_lanes; row < matrix.rows; row += threads / product_lanes) {
        const T* weights = matrix.first + row * matrix.stride;
        float sum = 0.0F;
        for (int first = lane; first < matrix.vectors; first += together * product_lanes) {
            Packet<T, V> packets[together];
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int column = first + s * product_lanes;
                packets[s] = load_or_zero<T, V>(weights + column * V, column < matrix.vectors);
            }
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int column = first + s * product_lanes;
                if (column < matrix.vectors) {
                    float weight[V];
                    float value[V];
                    unpack(packets[s], weight);
                    load_floats(vector + column * V, value);
                    HACSCALE_UNROLL
                    for (int i = 0; i < V; ++i) sum += weight[i] * value[i];
                }
            }
        }
        parts[row * product_pitch + lane] = sum;
    }
}

HACSCALE_HD float add_row(const float* parts, int row) {
    float sum = 0.0F;
    HACSCALE_UNROLL
    for (int lane = 0; lane < product_lanes; ++lane) sum += parts[row * product_pitch + lane];
    return sum;
}

// Lanes that share out the rows of the second product.
HACSCALE_HD int gate_lanes(const ChannelTiling& tiling) {
    constexpr int most = 16;  // the lanes' sums are added one after the other
    return tiling.lanes < most ? tiling.lanes : most;
}

// sums[lane][vector of the tile][V] = the lane's rows of the second product. `weights` is the transposed
// matrix at the block's first channel.
template <typename T, int V>
HACSCALE_HD void multiply_gates(const ChannelTiling& tiling, const ChannelTiling::Place& place,
                                const MatrixPart<T>& matrix, const float* hidden, float* sums) {
    constexpr int together = 4;  // rows whose loads are in flight
    const int lanes = gate_lanes(tiling);
    if (!place.valid || place.lane >= lanes) return;
    float products[V] = {};
    const T* weights = matrix.first + place.vector * V;
    for (int first = place.lane; first < matrix.rows; first += together * lanes) {
        Packet<T, V> packets[together];
        float factors[together];
        HACSCALE_UNROLL
        for (int s = 0; s < together; ++s) {
            const int row = first + s * lanes;
            const bool inside = row < matrix.rows;
            packets[s] = load_or_zero<T, V>(weights + row * matrix.stride, inside);
            factors[s] = inside ? hidden[row] : 0.0F;
        }
        HACSCALE_UNROLL
        for (int s = 0; s < together; ++s) {
            float weight[V];
            unpack(packets[s], weight);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) products[i] += weight[i] * factors[s];
        }
    }
    store_floats(products, sums + (place.lane * tiling.tile.value() + place.vector) * V);
}

// gates[i] = gate(bias + sum over lanes), of the block's channels.
template <int V>
HACSCALE_HD void make_gates(const ChannelTiling& tiling, const ChannelTiling::Place& place, int channels,
                            const float* bias, Activation activation, const float* sums, float* gates,
                            int thread, int threads) {
    const int width = tiling.tile.value() * V;
    const int lanes = gate_lanes(tiling);
    // Blocks of few lanes have fewer threads than channels.
    for (int i = thread; i < width; i += threads) {
        const int channel = place.first_vector * V + i;
        if (channel >= channels) return;
        float gate[1] = {bias[channel]};
        HACSCALE_UNROLL_BY(4)
        for (int lane = 0; lane < lanes; ++lane) gate[0] += sums[lane * width + i];
        activate(activation, gate);
        gates[i] = gate[0];
    }
}

// output = input * gates, at the thread's vector and positions. `input` and `output` start with the image.
template <typename T, int V>
HACSCALE_HD void scale_positions(const ChannelTiling& tiling, const ChannelTiling::Place& place,
                                 const T* input, T* output, int channels, const float* gates) {
    constexpr int together = 4;  // positions whose loads are in flight
    if (!place.valid) return;
    float factors[V];
    load_floats(gates + place.vector * V, factors);
    const int channel = (place.first_vector + place.vector) * V;
    // All loads before the first store, which might overwrite what they read for all the compiler knows.
    for (int p = place.begin + place.lane; p < place.end; p += together * tiling.lanes) {
        Packet<T, V> inputs[together];
        HACSCALE_UNROLL
        for (int s = 0; s < together; ++s) {
            const int position = p + s * tiling.lanes;
            inputs[s] = load_or_zero<T, V>(input + static_cast<std::int64_t>(position) * channels + channel,
                                           position < place.end);
        }
        HACSCALE_UNROLL
        for (int s = 0; s < together; ++s) {
            const int position = p + s * tiling.lanes;
            float values[V];
            unpack(inputs[s], values);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) values[i] *= factors[i];
            if (position < place.end) {
                store(values, output + static_cast<std::int64_t>(position) * channels + channel);
            }
        }
    }
}

}  // namespace hacscale::cuda
