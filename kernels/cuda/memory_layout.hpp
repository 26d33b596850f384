// Where everything that a network needs on a device lies: one block of weights and one of activations, so
// that a copy of the network is two allocations, and what a pass goes over is in one place.
#pragma once

#include <cstddef>
#include <vector>

#include "models/graph/network.hpp"

namespace hacscale::cuda {

constexpr std::size_t buffer_alignment = 256;  // as cudaMalloc's, which all kernels here rely on

struct MemoryLayout {
    // Offsets in the block of weights, one a node.
    std::vector<std::size_t> weights;
    std::size_t weight_bytes = 0;

    // Offsets in the block of activations: the network's input, its second input (of a network made by
    // single_layer(); of no size otherwise), each node's output, and the workspace that all layers share.
    std::size_t input = 0;
    std::size_t residual = 0;
    std::vector<std::size_t> outputs;
    std::size_t workspace = 0;
    std::size_t activation_bytes = 0;

    // What the layers write (outputs, then the workspace) begins here and goes to the end of the block.
    std::size_t written = 0;
    std::size_t output_bytes = 0;  // of the reused outputs together
};

// All sizes in bytes; `weight_bytes` has one entry a node.
MemoryLayout lay_out(const Network& network, int batch, DataType type,
                     const std::vector<std::size_t>& weight_bytes, std::size_t workspace_bytes);

}  // namespace hacscale::cuda
