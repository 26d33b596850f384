// The numbers that go through a graph: random weights and inputs, the ranges of tensors, and the reference that every
// backend's outputs are compared with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "models/graph/network.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

// One entry a node, as random_weights(LayerSpec).
std::vector<LayerWeights> random_weights(const Graph& graph, std::uint64_t seed);

// The network's own weights, or random ones where it has none.
std::vector<LayerWeights> weights_of(const Network& network, std::uint64_t seed);

// Of each input of the graph: dense NCHW, `batch` images, the first as random_values(count, seed). What a layer divides by is
// 1 to 2 away from zero, so that no quotient is too large for f16.
std::vector<std::vector<float>> random_inputs(const Graph& graph, int batch, std::uint64_t seed);

// Inputs to run a network on one after the other: of each sample, one entry an input of the graph, dense CHW.
using InputSamples = std::vector<std::vector<std::vector<float>>>;

// Eight of random_inputs(), with the seeds 1 to 8.
InputSamples random_samples(const Graph& graph);

// The least and the greatest number seen in a tensor, and 0.
struct ValueRange {
    float low = 0.0F;
    float high = 0.0F;

    void add(const ValueRange& other) {
        low = std::min(low, other.low);
        high = std::max(high, other.high);
    }
};

// Is given what each node puts out, in running order.
using ReferenceVisit = std::function<void(std::size_t node, const std::vector<double>& output)>;

// Each output of the graph in double precision, dense NCHW. `inputs` has one entry an input of the graph. `each` decides how
// many threads compute a layer, not what they compute.
std::vector<std::vector<double>> reference_graph(const Graph& graph, int batch,
                                                 const std::vector<std::vector<float>>& inputs,
                                                 const std::vector<LayerWeights>& weights,
                                                 const ReferenceVisit& visit = {},
                                                 const ForEach& each = in_turn);

}  // namespace hacscale
