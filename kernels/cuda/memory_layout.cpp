#include "kernels/cuda/memory_layout.hpp"

#include "models/graph/memory_layout.hpp"

namespace hacscale::cuda {
namespace {

std::size_t aligned(std::size_t bytes) {
    return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
}

}  // namespace

TensorShape shape_of(const Tensor& tensor, int batch) {
    return {batch, tensor.channels, tensor.height, tensor.width};
}

MemoryLayout lay_out(const Graph& network, int batch, DataType type,
                     const std::vector<std::size_t>& weight_bytes, std::size_t workspace_bytes) {
    MemoryLayout layout;
    for (const std::size_t bytes : weight_bytes) {
        layout.weights.push_back(layout.weight_bytes);
        layout.weight_bytes += aligned(bytes);
    }
    // Rounded up, so that offsets in the arena are aligned as well.
    std::vector<std::size_t> tensor_bytes;
    for (const Tensor& tensor : network.tensors) {
        tensor_bytes.push_back(aligned(shape_of(tensor, batch).bytes(type)));
    }
    // cuDNN's kernels and ours cannot add to what they write over.
    const ArenaLayout arena = lay_out_arena(network, tensor_bytes, never_in_place);
    layout.tensors.resize(network.tensors.size());
    for (const TensorId id : network.inputs) {
        layout.tensors[id] = layout.written;
        layout.written += tensor_bytes[id];
    }
    for (std::size_t id = 0; id < network.tensors.size(); ++id) {
        if (network.tensors[id].producer != no_node) layout.tensors[id] = layout.written + arena.offsets[id];
    }
    layout.output_bytes = arena.bytes;
    layout.workspace = layout.written + arena.bytes;
    layout.activation_bytes = layout.workspace + aligned(workspace_bytes);
    return layout;
}

}  // namespace hacscale::cuda
