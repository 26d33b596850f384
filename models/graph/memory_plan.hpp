// Where each node's output lies in one arena, so that a network's activations reuse the same cache lines:
// outputs that are alive at the same time don't overlap, and a residual add is done in place where nobody
// else reads the residual later.
#pragma once

#include <cstddef>
#include <vector>

#include "models/graph/network.hpp"

namespace hacscale {

struct MemoryPlan {
    std::vector<std::size_t> offsets;  // of each node's output, multiples of 64
    // The output lies where the residual (conv) or the input (squeeze-excite) does.
    std::vector<bool> in_place;
    std::size_t bytes = 0;  // of the arena
};

enum class InPlace { allowed, never };

// output_bytes has one entry a node. `never`: every node's output is apart from all that it reads, for
// kernels that cannot add to what they write over.
MemoryPlan plan_memory(const Network& network, const std::vector<std::size_t>& output_bytes,
                       InPlace in_place = InPlace::allowed);

}  // namespace hacscale
