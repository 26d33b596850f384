// A network's numbers as training has them, batch-norms apart from the products before them. Folded numbers (LayerWeights) are what runs;
// training goes on from these, for a batch-norm that was folded has lost its statistics.
#pragma once

#include <filesystem>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"
#include "models/weights/scaled_network.hpp"

namespace hacscale {

// Of each output channel, one number; all empty where the layer has no batch-norm.
struct BatchNormNumbers {
    std::vector<float> scale;
    std::vector<float> shift;
    std::vector<float> mean;      // over training images
    std::vector<float> variance;  // the same

    bool there() const { return !scale.empty(); }
};

struct TrainedLayer {
    LayerWeights products;  // as Operator::weights has them; without a bias where only the batch-norm shifts
    BatchNormNumbers norm;
};

// Whether a layer of a network with stages learns a batch-norm: by the count of what it learns.
bool learns_batch_norm(const Node& node);
// Whether batch-norms are apart, in one layer at least.
bool has_batch_norms(const std::vector<TrainedLayer>& layers);

// y = scale (Wx + b - mean) / sqrt(variance + epsilon) + shift, in one product and one bias. One entry a node.
std::vector<LayerWeights> folded(const Graph& graph, const std::vector<TrainedLayer>& layers);
// Products without batch-norms.
std::vector<TrainedLayer> unnormalized(std::vector<LayerWeights> weights);

// The layers of a scaled network, from those of its base: folded, they are scaled.network.weights but for rounding, where `scaled` was
// made from the folded layers of the base with the same settings. What new blocks add to their input is zero by its batch-norm, so that it
// has gradients.
std::vector<TrainedLayer> scaled_layers(const Graph& base, const std::vector<TrainedLayer>& layers,
                                        const ScaledNetwork& scaled, const WeightSettings& settings = {});

}  // namespace hacscale
