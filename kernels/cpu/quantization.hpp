// Which layers of a network of DataType::i8 compute with integers of 8 bits, and how its tensors are stored. Convs and linear layers
// do, and max pools between them; whatever else there is computes in f32, and so are the network's inputs and outputs.
//
// Both weights and activations are symmetric (zero is 0): weights signed, with one scale an output channel; activations with one
// scale a tensor, unsigned where no number of theirs was negative in calibration (8 bits for what a ReLU leaves), else signed.
#pragma once

#include <functional>
#include <vector>

#include "kernels/cpu/cpu_layer.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale::cpu {

ValueRange range_of(const float* values, std::size_t count);

// As integers of 8 bits that reach over the range.
Stored as_integers(const ValueRange& range);

struct Quantization {
    std::vector<bool> integer_nodes;  // whether a node computes with integers
    std::vector<Stored> integers;     // of each tensor, the form in which layers of integers read it
    std::vector<Stored> stored;       // of each tensor, the form in which it is written
};

// Whether there is a right and fast integer kernel for a conv or linear layer.
bool computes_with_integers(const LayerSpec& layer, int batch);

// `ranges`: one a tensor. `has_kernel`: computes_with_integers(), of convs and linear layers.
Quantization quantize(const Graph& graph, const std::vector<ValueRange>& ranges,
                      const std::function<bool(const LayerSpec&)>& has_kernel);

// A channel's weights reach from -limit to limit as integers: 127, or 64 for a source of which kernels add two products in 16 bits.
int weight_limit(const LayerSpec& layer, Element source);
// One an output channel of a conv or linear layer.
std::vector<float> weight_scales(const LayerSpec& layer, const LayerWeights& weights, Element source);

}  // namespace hacscale::cpu
