// A norm over the channels of each pixel, NHWC: (x - mean) / sqrt(variance + epsilon) * scale[c] + shift[c]. Some lanes of a
// warp share a pixel and keep its channels in registers: memory is read once, and the variance is the mean of squared
// deviations, not a difference of squares.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"
#include "kernels/cuda/device/mma.hpp"

namespace hacscale::cuda {

struct LayerNormParams {
    const void* input = nullptr;   // [pixels][channels]
    const float* scale = nullptr;  // [channels]
    const float* shift = nullptr;  // [channels]
    void* output = nullptr;        // as the input
    int pixels = 0;
    int channels = 0;
    int vectors = 0;         // of V channels in all channels
    int lanes = warp_lanes;  // that share a pixel: a power of two
    int lane_vectors = 0;    // of a lane, kept in registers; 0: too many, they are read again
    float epsilon = 0.0F;
    bool has_mean = true;    // false: it is taken as 0
    bool takes_mean = true;  // off the values, not from the variance alone
};

// The sum of `width` neighbouring lanes' values, in each of them; `width` is a power of two.
HACSCALE_HD void add_across(const Warp& warp, int width, Lanes<float>& values) {
    for (int distance = width / 2; distance > 0; distance /= 2) {
#ifdef __CUDA_ARCH__
        values[0] += __shfl_xor_sync(0xffffffffU, values[0], distance);
#else
        const Lanes<float> before = values;
        warp.each_lane([&](int lane) { values[lane] = before[lane] + before[lane ^ distance]; });
#endif
    }
}

// Kept: LayerNormParams::lane_vectors.
template <typename T, int V, int Kept>
struct LayerNormKernel {
    static constexpr int max_threads = 128;
    static constexpr int min_blocks = 4;
    static constexpr int phases = 1;
    static constexpr unsigned warp_phases = 1;
    using Shared = NothingShared;

    LayerNormParams params;

    std::int64_t blocks() const { return ceil_div(params.pixels, max_threads / params.lanes); }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run_warp(Shared&, int block, const Warp& warp) const {
        Lanes<Row> rows;
        Lanes<float> sums;
        warp.each_lane([&](int lane) {
            const Place place = place_of(block, warp.index(), lane);
            if constexpr (Kept > 0) keep(place, rows[lane]);
            sums[lane] = sum_of(place, rows[lane], [](float x) { return x; });
        });
        add_across(warp, params.lanes, sums);
        Lanes<float> squares;
        warp.each_lane([&](int lane) {
            const float mean = center_of(sums[lane]);
            squares[lane] = sum_of(place_of(block, warp.index(), lane), rows[lane],
                                   [mean](float x) { return (x - mean) * (x - mean); });
        });
        add_across(warp, params.lanes, squares);
        warp.each_lane([&](int lane) {
            write(place_of(block, warp.index(), lane), rows[lane],
                  params.takes_mean ? center_of(sums[lane]) : 0.0F,
                  1.0F / sqrtf(mean_of(squares[lane]) + params.epsilon));
        });
    }

private:
    struct Row {
        Packet<T, V> packets[Kept > 0 ? Kept : 1];
    };
    // Of a lane: its pixel, and which of its vectors are this lane's: every params.lanes-th from `first` on.
    struct Place {
        int pixel, first;
        bool valid;
    };

    HACSCALE_HD Place place_of(int block, int warp, int lane) const {
        const int thread = warp * warp_lanes + lane;
        const int pixel = block * (max_threads / params.lanes) + thread / params.lanes;
        return {pixel, thread % params.lanes, pixel < params.pixels};
    }
    HACSCALE_HD float mean_of(float sum) const { return sum / static_cast<float>(params.channels); }
    HACSCALE_HD float center_of(float sum) const { return params.has_mean ? mean_of(sum) : 0.0F; }
    HACSCALE_HD std::int64_t at(const Place& place, int vector) const {
        return static_cast<std::int64_t>(place.pixel) * params.channels + vector * V;
    }
    HACSCALE_HD void keep(const Place& place, Row& row) const {
        HACSCALE_UNROLL
        for (int k = 0; k < Kept; ++k) {
            const int vector = place.first + k * params.lanes;
            row.packets[k] = load_or_zero<T, V>(static_cast<const T*>(params.input) + at(place, vector),
                                                place.valid && vector < params.vectors);
        }
    }
    // Calls visit(vector, values) for each vector of the lane.
    template <typename Visit>
    HACSCALE_HD void for_vectors(const Place& place, const Row& row, Visit&& visit) const {
        if (!place.valid) return;
        float values[V];
        if constexpr (Kept > 0) {
            HACSCALE_UNROLL
            for (int k = 0; k < Kept; ++k) {
                const int vector = place.first + k * params.lanes;
                if (vector >= params.vectors) break;
                unpack(row.packets[k], values);
                visit(vector, values);
            }
        } else {
            HACSCALE_UNROLL_BY(2)
            for (int vector = place.first; vector < params.vectors; vector += params.lanes) {
                load(static_cast<const T*>(params.input) + at(place, vector), values);
                visit(vector, values);
            }
        }
    }
    template <typename Term>
    HACSCALE_HD float sum_of(const Place& place, const Row& row, Term&& term) const {
        float sum = 0.0F;
        for_vectors(place, row, [&](int, const float(&values)[V]) {
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) sum += term(values[i]);
        });
        return sum;
    }
    HACSCALE_HD void write(const Place& place, const Row& row, float mean, float factor) const {
        for_vectors(place, row, [&](int vector, const float(&values)[V]) {
            float scale[V];
            float shift[V];
            load_floats(params.scale + vector * V, scale);
            load_floats(params.shift + vector * V, shift);
            HACSCALE_UNROLL
            for (int i = 0; i < V; ++i) scale[i] = (values[i] - mean) * factor * scale[i] + shift[i];
            store(scale, static_cast<T*>(params.output) + at(place, vector));
        });
    }
};

// How many vectors of a pixel a lane can keep in registers.
constexpr int max_kept_vectors = 4;

template <typename Visit>
void with_layer_norm(const LayerNormParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        const auto with_kept = [&](auto kept) {
            visit(LayerNormKernel<decltype(element), decltype(width)::value, decltype(kept)::value>{params});
        };
        switch (params.lane_vectors) {
            case 1:
                return with_kept(Constant<1>{});
            case 2:
                return with_kept(Constant<2>{});
            case 3:
                return with_kept(Constant<3>{});
            case max_kept_vectors:
                return with_kept(Constant<max_kept_vectors>{});
            default:
                return with_kept(Constant<0>{});
        }
    });
}

}  // namespace hacscale::cuda
