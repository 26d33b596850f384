// A trained network as numbers for inference: batch-norm folded into the products before it, in double, in
// the layout of kernels/layer_weights.hpp.
#pragma once

#include <vector>

#include "models/ops/layer_weights.hpp"
#include "training/torch/network.hpp"

namespace hacscale::training {

// One entry a node. y = gamma (Wx + b - mean) / sqrt(var + eps) + beta becomes W' = s W, b' = s (b - mean) +
// beta with s = gamma / sqrt(var + eps).
std::vector<LayerWeights> folded(const TorchNetwork& network);

}  // namespace hacscale::training
