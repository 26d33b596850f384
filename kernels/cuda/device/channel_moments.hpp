// The mean of each channel of an image and the sum of its squared deviations, NHWC, for norms and gates of whole images. Sums are
// of differences to the channel's first element: they lose nothing where the mean is large against the spread, and parts of
// an image add up.
#pragma once

#include "kernels/cuda/device/channel_tiling.hpp"
#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/reduction.hpp"

namespace hacscale::cuda {

struct Moments {
    float mean;
    float squares;  // sum of squared deviations from the mean
};

// What the moments of a channel are made of.
struct MomentSums {
    const void* input = nullptr;  // [batch][positions][channels]
    float* sums =
        nullptr;  // [batch][chunks][2][channels]: of the differences to the first element, and of their squares
    int channels = 0;
    int positions = 0;
    int chunks = 1;

    HACSCALE_HD float* of_chunk(int image, int chunk) const {
        return sums + (static_cast<std::int64_t>(image) * chunks + chunk) * 2 * channels;
    }
    template <typename T>
    HACSCALE_HD const T* image_at(int image) const {
        return static_cast<const T*>(input) + static_cast<std::int64_t>(image) * positions * channels;
    }
    template <typename T>
    HACSCALE_HD Moments of(int image, int channel) const {
        float sum = 0.0F;
        float squares = 0.0F;
        HACSCALE_UNROLL_BY(4)
        for (int chunk = 0; chunk < chunks; ++chunk) {
            const float* const part = of_chunk(image, chunk) + channel;
            sum += part[0];
            squares += part[channels];
        }
        const float shift = sum / static_cast<float>(positions);
        const float first = to_float(image_at<T>(image)[channel]);
        return {first + shift, at_least(squares - sum * shift, 0.0F)};
    }
};

struct ChannelMomentsParams {
    MomentSums sums;
    ChannelTiling tiling;
    LaneSums lanes;  // of the tiling, V numbers a vector
};

template <typename T, int V>
struct ChannelMomentsKernel {
    static constexpr int max_threads = channel_threads;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 3;
    struct Shared {
        alignas(16) float sums[channel_threads * V];  // [lane][vector of the tile][V]
        alignas(16) float squares[channel_threads * V];
    };

    ChannelMomentsParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    int threads() const { return params.tiling.threads(); }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const ChannelTiling::Place place = params.tiling.place(block, thread);
        if constexpr (Phase == 0) add_positions(shared, place);
        if constexpr (Phase == 1) {
            params.lanes.add_to_parts(shared.sums, thread, params.tiling.threads());
            params.lanes.add_to_parts(shared.squares, thread, params.tiling.threads());
        }
        if constexpr (Phase == 2) write_sums(shared, place, thread);
    }

private:
    HACSCALE_HD void add_positions(Shared& shared, const ChannelTiling::Place& place) const {
        if (!place.valid) return;
        const T* image =
            params.sums.template image_at<T>(place.image) + (place.first_vector + place.vector) * V;
        float first[V];
        load(image, first);
        float sums[V] = {};
        float squares[V] = {};
        constexpr int together = 4;  // positions whose loads go out together
        for (int p = place.begin + place.lane; p < place.end; p += together * params.tiling.lanes) {
            Packet<T, V> packets[together];
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                const int position = p + s * params.tiling.lanes;
                packets[s] = load_or_zero<T, V>(
                    image + static_cast<std::int64_t>(position) * params.sums.channels, position < place.end);
            }
            HACSCALE_UNROLL
            for (int s = 0; s < together; ++s) {
                if (p + s * params.tiling.lanes >= place.end) break;
                float values[V];
                unpack(packets[s], values);
                HACSCALE_UNROLL
                for (int i = 0; i < V; ++i) {
                    const float difference = values[i] - first[i];
                    sums[i] += difference;
                    squares[i] += difference * difference;
                }
            }
        }
        const int at = (place.lane * params.tiling.tile.value() + place.vector) * V;
        store_floats(sums, shared.sums + at);
        store_floats(squares, shared.squares + at);
    }
    HACSCALE_HD void write_sums(const Shared& shared, const ChannelTiling::Place& place, int thread) const {
        float* const to = params.sums.of_chunk(place.image, place.chunk_index);
        // Blocks of few lanes have fewer threads than channels.
        for (int i = thread; i < params.lanes.width.value(); i += params.tiling.threads()) {
            const int channel = place.first_vector * V + i;
            if (channel >= params.sums.channels) return;
            to[channel] = params.lanes.total(shared.sums, i);
            to[params.sums.channels + channel] = params.lanes.total(shared.squares, i);
        }
    }
};

template <typename Visit>
void with_channel_moments(const ChannelMomentsParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        visit(ChannelMomentsKernel<decltype(element), decltype(width)::value>{params});
    });
}

}  // namespace hacscale::cuda
