// In which order each tensor of a network is in memory, and in which one each layer reads it.
#pragma once

#include <vector>

#include "kernels/cpu/tensor.hpp"
#include "models/graph/graph.hpp"

namespace hacscale::cpu {

// Of each tensor of the graph, as it is written.
std::vector<TensorShape> shapes_of(const Graph& graph, int batch);

// The order in which the layer reads this input. Most read in the order in which they write, and no other. Dense convs, linear
// layers and global pools read any order but the plain one, which they know of the network's first tensor only; what is
// moved anyway, or is one number a channel or a pixel, is read in any order.
TensorShape::Order order_read(const LayerSpec& layer, int input, const TensorShape& given, bool computed,
                              const TensorShape& output);

}  // namespace hacscale::cpu
