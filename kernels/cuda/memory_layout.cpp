#include "kernels/cuda/memory_layout.hpp"

#include "kernels/cuda/host_tensor.hpp"
#include "models/graph/memory_plan.hpp"
#include "models/graph/single_layer.hpp"

namespace hacscale::cuda {
namespace {

std::size_t aligned(std::size_t bytes) {
    return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
}

}  // namespace

MemoryLayout lay_out(const Network& network, int batch, DataType type,
                     const std::vector<std::size_t>& weight_bytes, std::size_t workspace_bytes) {
    MemoryLayout layout;
    std::vector<std::size_t> output_bytes;
    std::size_t residual_bytes = 0;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        const NetworkNode& node = network.nodes[i];
        layout.weights.push_back(layout.weight_bytes);
        layout.weight_bytes += aligned(weight_bytes[i]);
        // Rounded up, so that the plan's offsets are aligned as well.
        output_bytes.push_back(aligned(output_shape(node.layer, batch).bytes(type)));
        if (node.layer.residual && node.residual == external_residual) residual_bytes = output_bytes.back();
    }
    layout.residual = aligned(input_shape(network.nodes.front().layer, batch).bytes(type));
    layout.written = layout.residual + residual_bytes;
    // cuDNN's kernels and ours cannot add to what they write over.
    const MemoryPlan plan = plan_memory(network, output_bytes, InPlace::never);
    for (const std::size_t offset : plan.offsets) layout.outputs.push_back(layout.written + offset);
    layout.output_bytes = plan.bytes;
    layout.workspace = layout.written + plan.bytes;
    layout.activation_bytes = layout.workspace + aligned(workspace_bytes);
    return layout;
}

}  // namespace hacscale::cuda
