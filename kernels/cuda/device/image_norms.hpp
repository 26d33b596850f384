// Norms and gates that need all of an image: from the moments of its channels (channel_moments.hpp) to a scale, and of norms
// with a mean a center, for each channel of each image, which an elementwise step then applies (pointwise.hpp).
#pragma once

#include "kernels/cuda/device/channel_moments.hpp"

namespace hacscale::cuda {

struct ImageNormParams {
    MomentSums moments;
    const float* weights = nullptr;  // [channels]; of an eca [kernel]
    float* scale = nullptr;          // [batch][channels]
    float* center = nullptr;         // the same, of a group_norm
    int batch = 0;
    int groups = 1;  // group_norm
    int kernel = 1;  // eca: weights
    Activation gate = Activation::sigmoid;
    float epsilon = 0.0F;
    Mode mode = Mode::plain;  // group_norm
};

// The threads of a block add up what each has left in shared memory; all get the sum.
struct BlockSum {
    HACSCALE_HD static float total(const float* parts, int threads) {
        float sum = 0.0F;
        HACSCALE_UNROLL_BY(4)
        for (int i = 0; i < threads; ++i) sum += parts[i];
        return sum;
    }
};

constexpr int image_norm_threads = 256;

// (x - mean) / sqrt(variance + epsilon) * weight over the channels of a group and all positions, by ImageNormParams::mode. A block has one group of one
// image. Between the phases the channels' means and squares are where centers and scales will be.
template <typename T>
struct GroupNormKernel {
    static constexpr int max_threads = image_norm_threads;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 3;
    struct Shared {
        float means[max_threads];
        float squares[max_threads];
    };

    ImageNormParams params;

    std::int64_t blocks() const { return std::int64_t{params.batch} * params.groups; }
    HACSCALE_HD int threads() const {
        const int wanted = ceil_div(group_channels(), 32) * 32;
        return wanted < max_threads ? wanted : max_threads;
    }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const int image = block / params.groups;
        const int first = block % params.groups * group_channels();
        float* const means = params.center + static_cast<std::int64_t>(image) * params.moments.channels;
        float* const squares = params.scale + static_cast<std::int64_t>(image) * params.moments.channels;
        if constexpr (Phase == 0) {
            float sum = 0.0F;
            for_own_channels(first, thread, [&](int c) {
                const Moments moments = params.moments.template of<T>(image, c);
                means[c] = moments.mean;
                squares[c] = moments.squares;
                sum += moments.mean;
            });
            shared.means[thread] = sum;
        } else if constexpr (Phase == 1) {
            const float mean = group_mean(shared);
            float sum = 0.0F;
            for_own_channels(first, thread, [&](int c) {
                const float difference = means[c] - mean;
                sum += squares[c] + static_cast<float>(params.moments.positions) * difference * difference;
            });
            shared.squares[thread] = sum;
        } else {
            const float mean = group_mean(shared);
            const float variance =
                BlockSum::total(shared.squares, threads()) /
                (static_cast<float>(params.moments.positions) * static_cast<float>(group_channels()));
            const float offset = params.mode == Mode::root_mean_square ? mean * mean : 0.0F;
            const float factor = 1.0F / sqrtf(variance + offset + params.epsilon);
            for_own_channels(first, thread, [&](int c) {
                means[c] = params.mode == Mode::plain ? mean : 0.0F;
                squares[c] = params.weights[c] * factor;
            });
        }
    }

private:
    HACSCALE_HD int group_channels() const { return params.moments.channels / params.groups; }
    HACSCALE_HD float group_mean(const Shared& shared) const {
        return BlockSum::total(shared.means, threads()) / static_cast<float>(group_channels());
    }
    template <typename Visit>
    HACSCALE_HD void for_own_channels(int first, int thread, Visit&& visit) const {
        for (int c = thread; c < group_channels(); c += threads()) visit(first + c);
    }
};

// x * (weight * n + 1), where n is the channel's root of the sum of squares over the mean of all channels'. A block
// has one image.
template <typename T>
struct GrnKernel {
    static constexpr int max_threads = image_norm_threads;
    static constexpr int min_blocks = 2;
    static constexpr int phases = 2;
    struct Shared {
        float norms[max_threads];
    };

    ImageNormParams params;

    std::int64_t blocks() const { return params.batch; }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared& shared, int block, int thread) const {
        const int channels = params.moments.channels;
        float* const norms = params.scale + static_cast<std::int64_t>(block) * channels;
        if constexpr (Phase == 0) {
            float sum = 0.0F;
            for (int c = thread; c < channels; c += max_threads) {
                const Moments moments = params.moments.template of<T>(block, c);
                norms[c] = sqrtf(moments.squares +
                                 static_cast<float>(params.moments.positions) * moments.mean * moments.mean);
                sum += norms[c];
            }
            shared.norms[thread] = sum;
        } else {
            const float mean = BlockSum::total(shared.norms, max_threads) / static_cast<float>(channels);
            for (int c = thread; c < channels; c += max_threads) {
                norms[c] = params.weights[c] * (norms[c] / (mean + params.epsilon)) + 1.0F;
            }
        }
    }
};

// gate(conv over the channels' means). A thread has one channel of one image.
template <typename T>
struct EcaKernel {
    static constexpr int max_threads = 64;
    static constexpr int min_blocks = 1;
    static constexpr int phases = 1;
    using Shared = NothingShared;

    ImageNormParams params;

    std::int64_t blocks() const {
        return std::int64_t{params.batch} * ceil_div(params.moments.channels, max_threads);
    }
    static constexpr int threads() { return max_threads; }

    template <int Phase>
    HACSCALE_HD void run(Shared&, int block, int thread) const {
        const int channels = params.moments.channels;
        const int tiles = ceil_div(channels, max_threads);
        const int image = block / tiles;
        const int channel = block % tiles * max_threads + thread;
        if (channel >= channels) return;
        float gate[1] = {0.0F};
        for (int k = 0; k < params.kernel; ++k) {
            const int from = channel + k - params.kernel / 2;
            if (from < 0 || from >= channels) continue;
            gate[0] += params.weights[k] * params.moments.template of<T>(image, from).mean;
        }
        activate(params.gate, gate);
        params.scale[static_cast<std::int64_t>(image) * channels + channel] = gate[0];
    }
};

// Calls visit(kernel) with the kernel that makes the scales of this kind of layer.
template <typename Visit>
void with_image_norm(LayerKind kind, const ImageNormParams& params, DataType type, Visit&& visit) {
    with_element(type, [&](auto element) {
        using T = decltype(element);
        if (kind == LayerKind::group_norm) {
            visit(GroupNormKernel<T>{params});
        } else if (kind == LayerKind::grn) {
            visit(GrnKernel<T>{params});
        } else {
            visit(EcaKernel<T>{params});
        }
    });
}

}  // namespace hacscale::cuda
