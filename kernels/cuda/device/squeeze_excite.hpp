// Squeeze-excite in three kernels: channel sums (channel_sums.hpp), the first product (SqueezeKernel), and
// the second product with the scaling (ExciteKernel). The second product is small enough for each block to do
// its own channels' part again; the first is not, since it takes all channels.
#pragma once

#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/channel_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/gate_steps.hpp"

namespace hacscale::cuda {

struct SqueezeParams {
    const float* sums = nullptr;    // [batch][chunks][channels]
    const void* weights = nullptr;  // [squeeze][channels]
    const float* bias = nullptr;    // [squeeze]
    float* hidden = nullptr;        // [batch][squeeze]
    int batch = 0;
    int channels = 0;
    int positions = 0;  // that the sums are over
    int chunks = 0;
    Divisor squeeze, vectors;  // vectors of V channels
    ActivationStep activation;
};

// hidden = activation(W mean + b). A block has one row of W and one image.
template <typename T, int V>
struct SqueezeKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 8;
    static constexpr int phases = 3;
    static constexpr int groups = 16;
    struct Shared {
        float sums[max_threads];
        float group_sums[groups];
    };

    SqueezeParams params;

    std::int64_t blocks() const { return std::int64_t{params.squeeze.value()} * params.batch; }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        if constexpr (Phase == 0) {
            shared.sums[thread] = part_of_product(block, thread);
        } else if constexpr (Phase == 1) {
            if (thread >= groups) return;
            float sum = 0.0F;
            HACSCALE_UNROLL
            for (int i = 0; i < max_threads / groups; ++i) sum += shared.sums[i * groups + thread];
            shared.group_sums[thread] = sum;
        } else {
            if (thread != 0) return;
            float sum = 0.0F;
            HACSCALE_UNROLL
            for (int i = 0; i < groups; ++i) sum += shared.group_sums[i];
            int image = block;
            float hidden[1] = {sum / static_cast<float>(params.positions) +
                               params.bias[params.squeeze.take(image)]};
            activate(params.activation, hidden);
            params.hidden[block] = hidden[0];
        }
    }

private:
    // Threads share out the pairs of chunk and channel vector.
    HACSCALE_HD float part_of_product(int block, int thread) const {
        int image = block;
        const int row = params.squeeze.take(image);
        const T* weights =
            static_cast<const T*>(params.weights) + static_cast<std::int64_t>(row) * params.channels;
        const float* sums = params.sums + static_cast<std::int64_t>(image) * params.chunks * params.channels;
        const int pairs = params.chunks * params.vectors.value();
        float result = 0.0F;
        HACSCALE_UNROLL_BY(4)
        for (int pair = thread; pair < pairs; pair += max_threads) {
            int chunk = pair;
            const int channel = params.vectors.take(chunk) * V;
            float weight[V];
            float sum[V];
            load(weights + channel, weight);
            load_floats(sums + static_cast<std::int64_t>(chunk) * params.channels + channel, sum);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) result += weight[i] * sum[i];
        }
        return result;
    }
};

struct ExciteParams {
    const void* input = nullptr;    // [batch][positions][channels]
    const float* hidden = nullptr;  // [batch][squeeze]
    const void* weights = nullptr;  // [squeeze][channels]: the second product's matrix, transposed
    const float* bias = nullptr;    // [channels]
    void* output = nullptr;         // as the input; may be the input
    int channels = 0;
    int squeeze = 0;
    Activation gate = Activation::sigmoid;
    ChannelTiling tiling;
};

// output = input * gate(W2 hidden + b2).
template <typename T, int V>
struct ExciteKernel {
    static constexpr int max_threads = channel_threads;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 3;
    struct Shared {
        alignas(16) float sums[channel_threads * V];  // [lane][vector of the tile][V]
        alignas(16) float gates[channel_threads];     // of the tile's channels
    };

    ExciteParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const ChannelTiling& tiling = params.tiling;
        const ChannelTiling::Place place = tiling.place(block, thread);
        if constexpr (Phase == 0) {
            const MatrixPart<T> matrix{static_cast<const T*>(params.weights) + place.first_vector * V,
                                       params.squeeze, tiling.tile.value(), params.channels};
            multiply_gates<T, V>(tiling, place, matrix,
                                 params.hidden + static_cast<std::int64_t>(place.image) * params.squeeze,
                                 shared.sums);
        } else if constexpr (Phase == 1) {
            make_gates<V>(tiling, place, params.channels, params.bias, params.gate, shared.sums, shared.gates,
                          thread, tiling.threads());
        } else {
            const std::int64_t image =
                static_cast<std::int64_t>(place.image) * tiling.positions * params.channels;
            scale_positions<T, V>(tiling, place, static_cast<const T*>(params.input) + image,
                                  static_cast<T*>(params.output) + image, params.channels, shared.gates);
        }
    }
};

template <typename Visit>
void with_squeeze(const SqueezeParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(SqueezeKernel<decltype(element), decltype(width)::value>{params});
    });
}

template <typename Visit>
void with_excite(const ExciteParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(ExciteKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
