// The weights of one layer of a scaled network, taken from the base's layer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::detail {

struct GatherCall {
    const Node& base;
    const LayerWeights& weights;  // of the base
    const LayerSpec& layer;       // of the scaled network
    // Of each input and output channel of the scaled layer, the base's.
    const std::vector<int>& in;
    const std::vector<int>& out;
    // Copies of one channel get unequal parts of each weight that reads it, up to this share away from equal ones, so that training
    // tells them apart: copies with equal weights on both sides stay equal for ever. Below 0.5.
    double unevenness = 0.0;
    std::uint64_t seed = 0;
};

// A weight that reads a channel with copies is divided among them, so that the layer computes what it did. Throws InputError, which
// names the node, where a group's outputs would read another group's channels.
LayerWeights gathered(const GatherCall& call);

// Why the layer does not compute the base's channels where some of its inputs are copies, in words: its statistics count each copy. Nothing
// where it does, and where it lacks some of them.
std::optional<std::string> inexact_reason(const GatherCall& call);

}  // namespace hacscale::detail
