// Where each node's output lies in one arena, so that a network's activations reuse the same cache lines:
// outputs that are alive at the same time don't overlap, and a residual add is done in place where nobody
// else reads the residual later.
#pragma once

#include <cstddef>
#include <vector>

#include "models/network.hpp"

namespace hacscale::cpu {

struct MemoryPlan {
    std::vector<std::size_t> offsets;  // of each node's output, multiples of 64
    std::vector<bool>
        in_place;           // the output lies where the residual (conv) or the input (squeeze-excite) does
    std::size_t bytes = 0;  // of the arena
};

// output_bytes has one entry a node.
MemoryPlan plan_memory(const Network& network, const std::vector<std::size_t>& output_bytes);

}  // namespace hacscale::cpu
