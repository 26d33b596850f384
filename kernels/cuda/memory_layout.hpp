// Where everything that a network needs on a device is: one block of weights and one of activations, so
// that a copy of the network is two allocations, and what a pass goes over is in one place.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels/cuda/host_tensor.hpp"
#include "models/graph/graph.hpp"

namespace hacscale::cuda {

constexpr std::size_t buffer_alignment = 256;  // as cudaMalloc's, which all kernels here rely on

struct MemoryLayout {
    // Offsets in the block of weights, one a node.
    std::vector<std::size_t> weights;
    std::size_t weight_bytes = 0;

    // Offsets in the block of activations: of each tensor, the network's inputs first, and of the workspace that
    // all layers share.
    std::vector<std::size_t> tensors;
    std::size_t workspace = 0;
    std::size_t activation_bytes = 0;

    // What the layers write (their outputs, then the workspace) begins here and goes to the end of the block.
    std::size_t written = 0;
    std::size_t output_bytes = 0;  // of the reused outputs together
};

TensorShape shape_of(const Tensor& tensor, int batch);

// All sizes in bytes; `weight_bytes` has one entry a node.
MemoryLayout lay_out(const Graph& network, int batch, DataType type,
                     const std::vector<std::size_t>& weight_bytes, std::size_t workspace_bytes);

}  // namespace hacscale::cuda
