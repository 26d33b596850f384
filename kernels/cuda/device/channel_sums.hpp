// Sums of an NHWC tensor over the positions of each image, and the means from them. When one block an image
// and channel tile is enough, the means come out at once; else each chunk's sums go to a workspace, and a
// second kernel adds them up. The order of additions is fixed, so that equal inputs give equal outputs.
#pragma once

#include "kernels/cuda/device/channel_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/reduction.hpp"

namespace hacscale::cuda {

struct ChannelSumsParams {
    const void* input = nullptr;  // [batch][positions][channels]
    float* sums = nullptr;        // [batch][chunks][channels], or null: the means are wanted
    void* means = nullptr;        // [batch][channels], only where there is one chunk
    int channels = 0;
    ChannelTiling tiling;
    LaneSums lanes;  // of the tiling, V numbers a vector
};

template <typename T, int V>
struct ChannelSumsKernel {
    static constexpr int max_threads = channel_threads;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 3;
    struct Shared {
        alignas(16) float sums[channel_threads * V];  // [lane][vector of the tile][V]
    };

    ChannelSumsParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const ChannelTiling::Place place = params.tiling.place(block, thread);
        if constexpr (Phase == 0) {
            add_positions(shared, place);
        } else if constexpr (Phase == 1) {
            params.lanes.add_to_parts(shared.sums, thread, params.tiling.threads());
        } else {
            write_sums(shared, place, thread);
        }
    }

private:
    HACSCALE_HD void add_positions(Shared& shared, const ChannelTiling::Place& place) const {
        if (!place.valid) return;
        float sums[V] = {};
        const T* image = static_cast<const T*>(params.input) +
                         static_cast<std::int64_t>(place.image) * params.tiling.positions * params.channels +
                         (place.first_vector + place.vector) * V;
        // The loads of several positions go out together; those beyond the end are zeros.
        constexpr int together = 4;
        for (int p = place.begin + place.lane; p < place.end; p += together * params.tiling.lanes) {
            Packet<T, V> packets[together];
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int position = p + s * params.tiling.lanes;
                packets[s] = load_or_zero<T, V>(image + static_cast<std::int64_t>(position) * params.channels,
                                                position < place.end);
            }
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                float values[V];
                unpack(packets[s], values);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) sums[i] += values[i];
            }
        }
        store_floats(sums, shared.sums + (place.lane * params.tiling.tile.value() + place.vector) * V);
    }
    HACSCALE_HD void write_sums(const Shared& shared, const ChannelTiling::Place& place, int thread) const {
        // Blocks of few lanes have fewer threads than channels.
        for (int i = thread; i < params.lanes.width.value(); i += params.tiling.threads()) {
            const int channel = place.first_vector * V + i;
            if (channel >= params.channels) return;
            write(place, channel, params.lanes.total(shared.sums, i));
        }
    }
    HACSCALE_HD void write(const ChannelTiling::Place& place, int channel, float sum) const {
        if (params.sums != nullptr) {
            const std::int64_t row =
                static_cast<std::int64_t>(place.image) * params.tiling.chunks.value() + place.chunk_index;
            params.sums[row * params.channels + channel] = sum;
        } else {
            static_cast<T*>(
                params.means)[static_cast<std::int64_t>(place.image) * params.channels + channel] =
                from_float<T>(sum / static_cast<float>(params.tiling.positions));
        }
    }
};

struct MeansParams {
    const float* sums = nullptr;  // [batch][chunks][channels]
    void* means = nullptr;        // [batch][channels]
    int chunks = 0;
    int positions = 0;
    int count = 0;  // batch * channels
    Divisor channels;
};

// A thread has one channel of one image.
template <typename T>
struct MeansKernel {
    static constexpr int max_threads = 64;
    static constexpr int min_blocks = 1;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    MeansParams params;

    std::int64_t blocks() const { return ceil_div(params.count, max_threads); }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const std::int64_t index = std::int64_t{block} * max_threads + thread;
        if (index < params.count) write_mean(index);
    }

private:
    HACSCALE_HD void write_mean(std::int64_t index) const {
        int image = static_cast<int>(index);
        const int channel = params.channels.take(image);
        const float* from = params.sums +
                            static_cast<std::int64_t>(image) * params.chunks * params.channels.value() +
                            channel;
        float sum = 0.0F;
        HACSCALE_UNROLL_BY(4)
        for (int chunk = 0; chunk < params.chunks; ++chunk) {
            sum += from[static_cast<std::int64_t>(chunk) * params.channels.value()];
        }
        static_cast<T*>(params.means)[index] = from_float<T>(sum / static_cast<float>(params.positions));
    }
};

template <typename Visit>
void with_channel_sums(const ChannelSumsParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(ChannelSumsKernel<decltype(element), decltype(width)::value>{params});
    });
}

template <typename Visit>
void with_means(const MeansParams& params, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) { visit(MeansKernel<decltype(element)>{params}); });
}

}  // namespace hacscale::cuda
