// A fully connected layer for few images: a stream through the weights, each read once for up to eight
// images. With many images a matrix product on the tensor cores is faster; that is cuDNN's part.
#pragma once

#include "kernels/cuda/device/element_dispatch.hpp"

namespace hacscale::cuda {

constexpr int linear_threads = 128;
constexpr int linear_most_images = 8;

// A block has `groups` groups of `lanes` threads. A group has a few neighbouring outputs and a few images;
// its threads share out the features.
struct LinearTiling {
    int outputs = 0;
    int batch = 0;
    int rows = 1;    // outputs of a group
    int images = 1;  // of a group
    Divisor lanes;
    Divisor image_groups;

    struct Place {
        int first_output, first_image, group, lane;
    };

    HACSCALE_HD constexpr int groups() const { return linear_threads / lanes.value(); }
    HACSCALE_HD constexpr std::int64_t blocks() const {
        return std::int64_t{ceil_div(outputs, groups() * rows)} * image_groups.value();
    }
    // Blocks of the same outputs are neighbours, so that the weights' second reading is from L2.
    HACSCALE_HD constexpr Place place(int block, int thread) const {
        const int lane = lanes.take(thread);
        const int first_image = image_groups.take(block) * images;
        return {(block * groups() + thread) * rows, first_image, thread, lane};
    }
};

// The kernel for one image, and that for several.
constexpr int linear_images(int batch) {
    return batch == 1 ? 1 : linear_most_images;
}
constexpr int linear_rows(int batch) {
    return batch == 1 ? 1 : 2;
}

constexpr LinearTiling tile_linear(int outputs, int batch, int multiprocessors) {
    LinearTiling tiling;
    tiling.outputs = outputs;
    tiling.batch = batch;
    tiling.images = linear_images(batch);
    tiling.rows = linear_rows(batch);
    tiling.image_groups = Divisor(ceil_div(batch, tiling.images));
    tiling.lanes = Divisor(32);
    // Too few blocks: all of a block's threads work on the same outputs.
    if (tiling.blocks() < multiprocessors) tiling.lanes = Divisor(linear_threads);
    return tiling;
}

struct LinearParams {
    const void* input = nullptr;    // [batch][features]
    const void* weights = nullptr;  // [outputs][features]
    const float* bias = nullptr;    // [outputs]
    void* output = nullptr;         // [batch][outputs]
    int features = 0;
    Activation activation = Activation::none;
    LinearTiling tiling;
};

template <typename T, int V, int Rows, int Images>
struct LinearKernel {
    static constexpr int max_threads = linear_threads;
    static constexpr int min_blocks = Images == 1 ? 4 : 3;
    static constexpr int phases = 3;
    // Steps over the features whose loads are in flight together. One image leaves few threads, so each has
    // many; several images fill the registers with one step.
    static constexpr int together = Images == 1 ? 8 : 1;
    static constexpr int items = Rows * Images;  // sums of a group
    static constexpr int parts = 8;              // that the lanes' sums are added up to first
    // Each group's row of sums is one longer than it has lanes, so that groups are in different banks.
    static constexpr int row_length = linear_threads + linear_threads / 32;
    struct Shared {
        float sums[items][row_length];
        float part_sums[items * (linear_threads / 32) * parts];
    };

    LinearParams params;

    std::int64_t blocks() const { return params.tiling.blocks(); }
    static constexpr int threads() { return max_threads; }

    // The weights of the first steps are on their way before the input is there.
    struct Early {
        Packet<T, V> weights[together][Rows];
    };
    HACSCALE_HD Early start_early(Shared&, int block, int thread) const {
        const LinearTiling::Place place = params.tiling.place(block, thread);
        const T* weights[Rows];
        find_rows(place, weights);
        Early early;
        load_weights(weights, place.lane * V, early.weights);
        return early;
    }
    HACSCALE_HD void run_first(Shared& shared, int block, int thread, const Early& early) const {
        multiply(shared, params.tiling.place(block, thread), early);
    }
    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        if constexpr (Phase == 1) {
            add_lanes(shared, thread);
        } else {
            finish(shared, block, thread);
        }
    }

private:
    HACSCALE_HD int sum_index(int group, int lane) const {
        return group * (params.tiling.lanes.value() + 1) + lane;
    }

    HACSCALE_HD int step() const { return params.tiling.lanes.value() * V; }
    // What is beyond the end does the last one's work again, and is not written in the end.
    HACSCALE_HD void find_rows(const LinearTiling::Place& place, const T* (&weights)[Rows]) const {
        HACSCALE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            const int row = place.first_output + r;
            weights[r] =
                static_cast<const T*>(params.weights) +
                static_cast<std::int64_t>(row < params.tiling.outputs ? row : params.tiling.outputs - 1) *
                    params.features;
        }
    }
    HACSCALE_HD void find_images(const LinearTiling::Place& place, const T* (&inputs)[Images]) const {
        HACSCALE_UNROLL
        for (int n = 0; n < Images; ++n) {
            const int image = place.first_image + n;
            inputs[n] =
                static_cast<const T*>(params.input) +
                static_cast<std::int64_t>(image < params.tiling.batch ? image : params.tiling.batch - 1) *
                    params.features;
        }
    }

    HACSCALE_HD void multiply(Shared& shared, const LinearTiling::Place& place, const Early& early) const {
        const T* weights[Rows];
        const T* inputs[Images];
        find_rows(place, weights);
        find_images(place, inputs);
        float sums[Rows][Images] = {};
        int k = place.lane * V;
        add_features(early.weights, inputs, k, sums);
        for (k += together * step(); k < params.features; k += together * step()) {
            Packet<T, V> packets[together][Rows];
            load_weights(weights, k, packets);
            add_features(packets, inputs, k, sums);
        }
        HACSCALE_UNROLL
        for (int r = 0; r < Rows; ++r) {
            HACSCALE_UNROLL
            for (int n = 0; n < Images; ++n) {
                shared.sums[r * Images + n][sum_index(place.group, place.lane)] = sums[r][n];
            }
        }
    }
    // Those of `together` steps.
    HACSCALE_HD void load_weights(const T* const (&weights)[Rows], int k,
                                  Packet<T, V> (&packets)[together][Rows]) const {
        HACSCALE_UNROLL
        for (int t = 0; t < together; ++t) {
            const int at = k + t * step();
            HACSCALE_UNROLL
            for (int r = 0; r < Rows; ++r) {
                packets[t][r] = load_or_zero<T, V>(weights[r] + at, at < params.features);
            }
        }
    }
    HACSCALE_HD void add_features(const Packet<T, V> (&weight_packets)[together][Rows],
                                  const T* const (&inputs)[Images], int k,
                                  float (&sums)[Rows][Images]) const {
        Packet<T, V> input_packets[together][Images];
        HACSCALE_UNROLL
        for (int t = 0; t < together; ++t) {
            const int at = k + t * step();
            HACSCALE_UNROLL
            for (int n = 0; n < Images; ++n) {
                input_packets[t][n] = load_or_zero<T, V>(inputs[n] + at, at < params.features);
            }
        }
        HACSCALE_UNROLL
        for (int t = 0; t < together; ++t) {
            float weight[Rows][V];
            HACSCALE_UNROLL
            for (int r = 0; r < Rows; ++r) unpack(weight_packets[t][r], weight[r]);
            HACSCALE_UNROLL
            for (int n = 0; n < Images; ++n) {
                float input[V];
                unpack(input_packets[t][n], input);
                HACSCALE_UNROLL
                for (int r = 0; r < Rows; ++r) {
                    HACSCALE_UNROLL
                    for (int i = 0; i < V; ++i) sums[r][n] += weight[r][i] * input[i];
                }
            }
        }
    }
    HACSCALE_HD void add_lanes(Shared& shared, int thread) const {
        const int count = items * params.tiling.groups() * parts;
        const int lanes = params.tiling.lanes.value();
        for (int i = thread; i < count; i += linear_threads) {
            const int part = i % parts;
            const int item = i / parts % items;
            const int group = i / parts / items;
            float sum = 0.0F;
            for (int lane = part; lane < lanes; lane += parts) {
                sum += shared.sums[item][sum_index(group, lane)];
            }
            shared.part_sums[i] = sum;
        }
    }
    HACSCALE_HD void finish(const Shared& shared, int block, int thread) const {
        const int count = items * params.tiling.groups();
        for (int i = thread; i < count; i += linear_threads) {
            const int item = i % items;
            const LinearTiling::Place place =
                params.tiling.place(block, i / items * params.tiling.lanes.value());
            const int output = place.first_output + item / Images;
            const int image = place.first_image + item % Images;
            if (output >= params.tiling.outputs || image >= params.tiling.batch) continue;
            float value[1] = {params.bias[output]};
            HACSCALE_UNROLL
            for (int p = 0; p < parts; ++p) value[0] += shared.part_sums[i * parts + p];
            activate(params.activation, value);
            static_cast<T*>(
                params.output)[static_cast<std::int64_t>(image) * params.tiling.outputs + output] =
                from_float<T>(value[0]);
        }
    }
};

template <typename Visit>
void with_linear(const LinearParams& params, DataType type, bool vectors, Visit&& visit) {
    with_vector(type, vectors, [&](auto element, auto width) {
        using T = decltype(element);
        constexpr int width_of_vector = decltype(width)::value;
        if (params.tiling.batch == 1) {
            visit(LinearKernel<T, width_of_vector, linear_rows(1), linear_images(1)>{params});
        } else {
            visit(LinearKernel<T, width_of_vector, linear_rows(2), linear_images(2)>{params});
        }
    });
}

}  // namespace hacscale::cuda
