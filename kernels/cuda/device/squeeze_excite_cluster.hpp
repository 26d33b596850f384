// Squeeze-excite in one kernel: a cluster of blocks has an image. Each block keeps its channels and positions
// of the image in shared memory, so that the tensor is read once, and has its own columns of the first matrix
// and of the second, so that both are read once an image, too. Blocks meet twice: once to add up the sums of
// the same channels (where positions are shared out), once to add up their parts of the hidden layer.
#pragma once

#include <optional>

#include "kernels/cuda/device/block_memory.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/gate_steps.hpp"
#include "kernels/cuda/device/mma.hpp"
#include "kernels/cuda/device/reduction.hpp"

namespace hacscale::cuda {

constexpr int cluster_threads = 512;

// Where a block's shared memory has what, in bytes.
struct SqueezeExciteClusterMemory {
    int kept = 0;                // [position of the chunk][vector of the tile]: the block's part of the image
    int lanes = 0;               // [lane][vector of the tile][V], and in between the first product's parts
    int sums = 0;                // [channels of the tile], over the chunk's positions
    int means = 0;               // [channels of the tile], over all positions
    int part = 0;                // [rows]: the tile's part of the hidden layer, of every rows-th of it
    int hidden = 0;              // [squeeze]
    int gates = 0;               // [channels of the tile]
    int weights = 0;             // [rows][vector of the tile], of the first matrix
    int weights2 = 0;            // [squeeze][vector of the tile], of the second
    bool keeps_weights = false;  // else they are read from the device's memory, when they are used
    std::int64_t bytes = 0;
};

// With a tiling by tile_cluster().
struct SqueezeExciteClusterParams : SqueezeExciteParams {
    LaneSums lanes;  // of the tiling, V numbers a vector
    SqueezeExciteClusterMemory memory;
};

// Nothing when a block's memory cannot hold its part of an image.
inline std::optional<SqueezeExciteClusterMemory> lay_out_cluster(const ChannelTiling& tiling, int squeeze,
                                                                 DataType type, int vector,
                                                                 std::size_t block_bytes) {
    constexpr std::int64_t float_size = sizeof(float);
    const std::int64_t tile = std::int64_t{tiling.tile.value()} * vector;
    const auto element_size = static_cast<std::int64_t>(size_of(type));
    const std::int64_t rows = ceil_div(squeeze, tiling.chunks.value());
    BlockMemoryLayout layout;
    SqueezeExciteClusterMemory memory;
    memory.lanes = layout.add(float_size * std::max(tiling.lanes * tile, rows * product_pitch));
    memory.sums = layout.add(float_size * tile);
    memory.means = layout.add(float_size * tile);
    memory.part = layout.add(float_size * rows);
    memory.hidden = layout.add(float_size * squeeze);
    memory.gates = layout.add(float_size * tile);
    memory.kept = layout.add(element_size * tile * tiling.chunk);
    if (layout.bytes() > static_cast<std::int64_t>(block_bytes)) return std::nullopt;
    memory.bytes = layout.bytes();
    memory.weights = layout.add(element_size * tile * rows);
    memory.weights2 = layout.add(element_size * tile * squeeze);
    memory.keeps_weights = layout.bytes() <= static_cast<std::int64_t>(block_bytes);
    if (memory.keeps_weights) memory.bytes = layout.bytes();
    return memory;
}

template <typename T, int V>
struct SqueezeExciteClusterKernel {
    static constexpr int max_threads = cluster_threads;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 10;
    static constexpr bool clustered = true;
    static constexpr int last_shared_phase = 6;
    using Shared = BlockMemory;
    using Place = ChannelTiling::Place;

    SqueezeExciteClusterParams params;

    int cluster_blocks() const { return params.tiling.vector_tiles.value() * params.tiling.chunks.value(); }
    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }
    std::size_t shared_bytes() const { return static_cast<std::size_t>(params.memory.bytes); }
    HACSCALE_HD bool cluster_waits(int phase) const {
        return (phase == 2 && params.tiling.chunks.value() > 1) ||
               (phase == 5 && params.tiling.blocks() > params.tiling.batch);
    }

    // The weights need nothing that another kernel writes: they are on their way before the input is there.
    HACSCALE_HD AsyncCopies start_early(const BlockMemory& shared, int block, int thread) const {
        AsyncCopies copies;
        if (params.memory.keeps_weights) {
            const Place place = params.tiling.place(block, thread);
            keep(first_matrix_on_device(place), shared.at<T>(params.memory.weights), place, copies);
            keep(second_matrix_on_device(place), shared.at<T>(params.memory.weights2), place, copies);
        }
        copies.commit();
        return copies;
    }
    HACSCALE_HD void run_first(const BlockMemory& shared, int block, int thread, AsyncCopies& weights) const {
        read_positions(shared, params.tiling.place(block, thread));
        weights.wait<0>();
    }
    template <int Phase>
    HACSCALE_HD void run(const BlockMemory& shared, int block, int thread) const {
        const ChannelTiling& tiling = params.tiling;
        const SqueezeExciteClusterMemory& memory = params.memory;
        const ChannelTiling::Place place = tiling.place(block, thread);
        if constexpr (Phase == 1) {
            params.lanes.add_to_parts(shared.at<float>(memory.lanes), thread, tiling.threads());
        } else if constexpr (Phase == 2) {
            for (int i = thread; i < params.lanes.width.value(); i += tiling.threads()) {
                shared.at<float>(memory.sums)[i] = params.lanes.total(shared.at<float>(memory.lanes), i);
            }
        } else if constexpr (Phase == 3) {
            make_means(shared, block, thread);
        } else if constexpr (Phase == 4) {
            multiply_rows<T, V>(first_matrix(shared, place), shared.at<float>(memory.means),
                                shared.at<float>(memory.lanes), thread, tiling.threads());
        } else if constexpr (Phase == 5) {
            const int rows = rows_of(place);
            for (int row = thread; row < rows; row += tiling.threads()) {
                shared.at<float>(memory.part)[row] = add_row(shared.at<float>(memory.lanes), row);
            }
        } else if constexpr (Phase == 6) {
            make_hidden(shared, thread);
        } else if constexpr (Phase == 7) {
            multiply_gates<T, V>(tiling, place, second_matrix(shared, place), shared.at<float>(memory.hidden),
                                 shared.at<float>(memory.lanes));
        } else if constexpr (Phase == 8) {
            make_gates<V>(tiling, place, params.channels, params.bias2, params.gate,
                          shared.at<float>(memory.lanes), shared.at<float>(memory.gates), thread,
                          tiling.threads());
        } else {
            scale(shared, place);
        }
    }

private:
    // Every chunks-th row of the first matrix belongs to the blocks of a chunk.
    HACSCALE_HD int rows_of(const Place& place) const {
        const int chunks = params.tiling.chunks.value();
        const int rows = params.squeeze - place.chunk_index + chunks - 1;
        return rows < chunks ? 0 : params.tiling.chunks.quotient(rows);
    }
    HACSCALE_HD int vectors_of(const Place& place) const {
        const int left = params.tiling.vectors - place.first_vector;
        const int tile = params.tiling.tile.value();
        return left < 0 ? 0 : left < tile ? left : tile;
    }
    HACSCALE_HD MatrixPart<T> first_matrix_on_device(const Place& place) const {
        return {static_cast<const T*>(params.weights) +
                    static_cast<std::int64_t>(place.chunk_index) * params.channels + place.first_vector * V,
                rows_of(place), vectors_of(place),
                static_cast<std::int64_t>(params.tiling.chunks.value()) * params.channels};
    }
    HACSCALE_HD MatrixPart<T> second_matrix_on_device(const Place& place) const {
        return {static_cast<const T*>(params.weights2) + place.first_vector * V, params.squeeze,
                vectors_of(place), params.channels};
    }
    HACSCALE_HD MatrixPart<T> kept_matrix(const MatrixPart<T>& matrix, const BlockMemory& shared,
                                          int offset) const {
        return {shared.at<T>(offset), matrix.rows, matrix.vectors, params.tiling.tile.value() * V};
    }
    HACSCALE_HD MatrixPart<T> first_matrix(const BlockMemory& shared, const Place& place) const {
        const MatrixPart<T> matrix = first_matrix_on_device(place);
        return params.memory.keeps_weights ? kept_matrix(matrix, shared, params.memory.weights) : matrix;
    }
    HACSCALE_HD MatrixPart<T> second_matrix(const BlockMemory& shared, const Place& place) const {
        const MatrixPart<T> matrix = second_matrix_on_device(place);
        return params.memory.keeps_weights ? kept_matrix(matrix, shared, params.memory.weights2) : matrix;
    }

    HACSCALE_HD void keep(const MatrixPart<T>& matrix, T* to, const Place& place, AsyncCopies& copies) const {
        if (!place.valid) return;
        HACSCALE_UNROLL_BY(4)
        for (int row = place.lane; row < matrix.rows; row += params.tiling.lanes) {
            const T* const from = matrix.first + row * matrix.stride + place.vector * V;
            if constexpr (V > 1) {
                copies.copy(packet_at(to, row, place), from);
            } else {
                *packet_at(to, row, place) = load_packet<T, V>(from);
            }
        }
    }
    HACSCALE_HD Packet<T, V>* packet_at(T* rows, int row, const Place& place) const {
        return reinterpret_cast<Packet<T, V>*>(rows) + row * params.tiling.tile.value() + place.vector;
    }

    HACSCALE_HD void read_positions(const BlockMemory& shared, const Place& place) const {
        if (!place.valid) return;
        constexpr int together = 6;
        T* const kept = shared.at<T>(params.memory.kept);
        const T* const from = static_cast<const T*>(params.input) + element_of(place, 0);
        float sums[V] = {};
        for (int p = place.begin + place.lane; p < place.end; p += together * params.tiling.lanes) {
            Packet<T, V> packets[together];
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int position = p + s * params.tiling.lanes;
                packets[s] = load_or_zero<T, V>(from + static_cast<std::int64_t>(position) * params.channels,
                                                position < place.end);
            }
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int position = p + s * params.tiling.lanes;
                if (position < place.end) *packet_at(kept, position - place.begin, place) = packets[s];
                float values[V];
                unpack(packets[s], values);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[i] += values[i];
            }
        }
        store_floats(sums, shared.at<float>(params.memory.lanes) +
                               (place.lane * params.tiling.tile.value() + place.vector) * V);
    }
    HACSCALE_HD std::int64_t element_of(const Place& place, int position) const {
        return (static_cast<std::int64_t>(place.image) * params.tiling.positions + position) *
                   params.channels +
               (place.first_vector + place.vector) * V;
    }
    // The number, within its cluster, of the block that has this tile and chunk.
    HACSCALE_HD int number_of(int tile, int chunk) const {
        return chunk * params.tiling.vector_tiles.value() + tile;
    }
    HACSCALE_HD void make_means(const BlockMemory& shared, int block, int thread) const {
        const int tile = params.tiling.vector_tiles.take(block);
        for (int i = thread; i < params.lanes.width.value(); i += params.tiling.threads()) {
            float sum = 0.0F;
            HACSCALE_UNROLL_BY(8)  // reads of other blocks' memory take long: several at once
            for (int chunk = 0; chunk < params.tiling.chunks.value(); ++chunk) {
                sum += shared.of_block<float>(number_of(tile, chunk), params.memory.sums)[i];
            }
            shared.at<float>(params.memory.means)[i] = sum / static_cast<float>(params.tiling.positions);
        }
    }
    HACSCALE_HD void make_hidden(const BlockMemory& shared, int thread) const {
        for (int row = thread; row < params.squeeze; row += params.tiling.threads()) {
            int part_row = row;
            const int chunk = params.tiling.chunks.take(part_row);
            float value[1] = {params.bias[row]};
            HACSCALE_UNROLL_BY(8)
            for (int tile = 0; tile < params.tiling.vector_tiles.value(); ++tile) {
                value[0] += shared.of_block<float>(number_of(tile, chunk), params.memory.part)[part_row];
            }
            activate(params.activation, value);
            shared.at<float>(params.memory.hidden)[row] = value[0];
        }
    }
    HACSCALE_HD void scale(const BlockMemory& shared, const Place& place) const {
        if (!place.valid) return;
        float gates[V];
        load_floats(shared.at<float>(params.memory.gates) + place.vector * V, gates);
        T* const kept = shared.at<T>(params.memory.kept);
        T* const output = static_cast<T*>(params.output) + element_of(place, 0);
        HACSCALE_UNROLL_BY(4)
        for (int p = place.begin + place.lane; p < place.end; p += params.tiling.lanes) {
            float values[V];
            const Packet<T, V> packet = *packet_at(kept, p - place.begin, place);
            unpack(packet, values);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) values[i] *= gates[i];
            store(values, output + static_cast<std::int64_t>(p) * params.channels);
        }
    }
};

template <typename Visit>
void with_squeeze_excite_cluster(const SqueezeExciteClusterParams& params, DataType type, bool vectors,
                                 Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(SqueezeExciteClusterKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
