// Squeeze-excite in two kernels: channel sums (channel_sums.hpp), and this one, in which each block computes
// the whole hidden layer from them, the gates of its own channels, and scales its part of the tensor. All
// blocks read the whole first matrix, from L2: a few tenths of a microsecond on a block each, where another
// launch costs more than one, but more than that once there are several blocks a multiprocessor.
#pragma once

#include "kernels/cuda/device/block_memory.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/gate_steps.hpp"
#include "kernels/cuda/device/reduction.hpp"

namespace hacscale::cuda {

constexpr int excite_from_sums_threads = 512;

// Where a block's shared memory has what, in bytes.
struct ExciteFromSumsMemory {
    int means = 0;     // [parts][channels]; the first row is the means in the end
    int products = 0;  // [squeeze][product_pitch], and later [lane][vector of the tile][V]
    int hidden = 0;    // [squeeze]
    int gates = 0;     // [channels of the tile]
    std::int64_t bytes = 0;
};

struct ExciteFromSumsParams : SqueezeExciteParams {
    const float* sums = nullptr;  // [batch][chunks][channels]
    LaneSums chunks;              // of the sums, `channels` numbers each
    ExciteFromSumsMemory memory;
};

inline ExciteFromSumsMemory lay_out_excite_from_sums(const ChannelTiling& tiling, const LaneSums& chunks,
                                                     int squeeze, int vector) {
    constexpr std::int64_t size = sizeof(float);
    BlockMemoryLayout layout;
    ExciteFromSumsMemory memory;
    const std::int64_t tile = std::int64_t{tiling.tile.value()} * vector;
    memory.means = layout.add(size * chunks.parts * chunks.width.value());
    memory.products = layout.add(
        size * std::max<std::int64_t>(std::int64_t{squeeze} * product_pitch, gate_lanes(tiling) * tile));
    memory.hidden = layout.add(size * squeeze);
    memory.gates = layout.add(size * tile);
    memory.bytes = layout.bytes();
    return memory;
}

template <typename T, int V>
struct ExciteFromSumsKernel {
    // More than the tiling asks for: all of them work on the first product.
    static constexpr int max_threads = excite_from_sums_threads;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 7;
    static constexpr bool clustered = false;
    using Shared = BlockMemory;

    ExciteFromSumsParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    HACSCALE_HD static constexpr int threads() { return max_threads; }
    std::size_t shared_bytes() const { return static_cast<std::size_t>(params.memory.bytes); }

    template <int Phase>
    HACSCALE_HD void run(const BlockMemory& shared, int block, int thread) const {
        const ChannelTiling& tiling = params.tiling;
        const ExciteFromSumsMemory& memory = params.memory;
        const ChannelTiling::Place place = tiling.place(block, thread);
        auto* const means = shared.at<float>(memory.means);
        auto* const products = shared.at<float>(memory.products);
        auto* const hidden = shared.at<float>(memory.hidden);
        auto* const gates = shared.at<float>(memory.gates);
        if constexpr (Phase == 0) {
            add_chunks(place.image, means, thread);
        } else if constexpr (Phase == 1) {
            for (int i = thread; i < params.channels; i += threads()) {
                means[i] = params.chunks.total(means, i) / static_cast<float>(tiling.positions);
            }
        } else if constexpr (Phase == 2) {
            const MatrixPart<T> matrix{static_cast<const T*>(params.weights), params.squeeze, tiling.vectors,
                                       params.channels};
            multiply_rows<T, V>(matrix, means, products, thread, threads());
        } else if constexpr (Phase == 3) {
            for (int row = thread; row < params.squeeze; row += threads()) {
                float value[1] = {params.bias[row] + add_row(products, row)};
                activate(params.activation, value);
                hidden[row] = value[0];
            }
        } else if constexpr (Phase == 4) {
            const MatrixPart<T> matrix{static_cast<const T*>(params.weights2) + place.first_vector * V,
                                       params.squeeze, tiling.tile.value(), params.channels};
            multiply_gates<T, V>(tiling, place, matrix, hidden, products);
        } else if constexpr (Phase == 5) {
            make_gates<V>(tiling, place, params.channels, params.bias2, params.gate, products, gates, thread,
                          threads());
        } else {
            const std::int64_t image =
                static_cast<std::int64_t>(place.image) * tiling.positions * params.channels;
            scale_positions<T, V>(tiling, place, static_cast<const T*>(params.input) + image,
                                  static_cast<T*>(params.output) + image, params.channels, gates);
        }
    }

private:
    // Threads share out the channels, and where those are few, the chunks.
    HACSCALE_HD void add_chunks(int image, float* means, int thread) const {
        const int count = params.chunks.parts * params.channels;
        const float* sums =
            params.sums + static_cast<std::int64_t>(image) * params.chunks.lanes * params.channels;
        for (int i = thread; i < count; i += threads()) {
            int chunk = i;
            const int channel = params.chunks.width.take(chunk);
            float sum = 0.0F;
            HACSCALE_UNROLL_BY(8)
            for (; chunk < params.chunks.lanes; chunk += params.chunks.parts) {
                sum += sums[static_cast<std::int64_t>(chunk) * params.channels + channel];
            }
            means[i] = sum;
        }
    }
};

template <typename Visit>
void with_excite_from_sums(const ExciteFromSumsParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(ExciteFromSumsKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
