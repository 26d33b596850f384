// Which tensors the folded weights of a network have: their names and shapes, in the layouts of
// kernels/layer_weights.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale {

struct WeightTensor {
    std::string name;  // "stage1.block1.conv2.weight"
    std::vector<std::int64_t> shape;
    int node = 0;                              // of the network
    std::vector<float> LayerWeights::*values;  // of that node

    std::int64_t elements() const;
};

// In running order; every tensor that is not empty.
std::vector<WeightTensor> weight_tensors(const Graph& network);

}  // namespace hacscale
