// What layers with a learned scale and shift a channel share: batch-norms that nothing absorbs, and norms of one image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/ops/operator.hpp"

namespace hacscale {

std::vector<WeightPart> scale_and_shift(const LayerSpec& layer);
// Scales around 1, shifts around 0.
LayerWeights random_scale_and_shift(const LayerSpec& layer, RandomValues& random);
inline std::int64_t one_a_channel(const LayerSpec& layer) {
    return layer.in_channels;
}

// The parameter's part of a key.
void write_epsilon(const LayerSpec& layer, KeyWriter& key);
void read_epsilon(KeyReader& key, LayerSpec& layer);
// What is wrong with the number that keeps a division by a variance from being one by zero.
std::optional<std::string> epsilon_fault(const LayerSpec& layer);

// (x - mean) / sqrt(variance + epsilon) over a set of an image's elements: their channels [first, first + channels), at one
// pixel or at all.
struct Moments {
    double mean = 0.0;
    double variance = 0.0;
};
Moments moments_of(const ReferenceCall& call, int image, int first_channel, int channels, int first_pixel,
                   int pixels);

// The mean that a norm of this mode takes off, and the moment whose root divides.
inline Moments normalized_by(Mode mode, Moments moments) {
    if (mode == Mode::plain) return moments;
    if (mode == Mode::root_mean_square) moments.variance += moments.mean * moments.mean;
    return {0.0, moments.variance};
}

// The mode's part of a key of a layer_norm or group_norm, and what is wrong with it or with the epsilon.
void write_norm_mode(const LayerSpec& layer, KeyWriter& key);
void read_norm_mode(KeyReader& key, LayerSpec& layer);
std::optional<std::string> norm_fault(const LayerSpec& layer);

}  // namespace hacscale
