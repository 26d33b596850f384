// Where each tensor of a graph is in one arena, so that a network's activations reuse the same cache lines:
// tensors that are alive at the same time do not overlap, and a residual add is done in place where nobody
// reads the residual later. The graph's inputs are not in the arena; its outputs are kept to the end.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "models/graph/graph.hpp"

namespace hacscale {

struct ArenaLayout {
    std::vector<std::size_t>
        offsets;  // of each tensor, multiples of 64; of no meaning for the graph's inputs
    // Of each node: its output is where its residual (conv) or one of its inputs (squeeze-excite, add) is.
    std::vector<bool> in_place;
    std::size_t bytes = 0;  // of the arena
};

// The tensors that the node may write over if nobody needs them later, and that are in the arena.
TensorIds overwritable_inputs(const Graph& graph, const Node& node);

// Whether a node may write its output `to` over what it reads as `from`: both hold their numbers in one order, and
// the kernel can do so.
using MayOverwrite = std::function<bool(TensorId from, TensorId to)>;
inline bool never_in_place(TensorId, TensorId) {
    return false;
}
inline bool in_place(TensorId, TensorId) {
    return true;
}

// tensor_bytes has one entry a tensor. A tensor is written over only by one of its size.
ArenaLayout lay_out_arena(const Graph& graph, const std::vector<std::size_t>& tensor_bytes,
                          const MayOverwrite& may_overwrite);

}  // namespace hacscale
