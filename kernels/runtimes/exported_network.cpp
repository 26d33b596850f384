#include "kernels/runtimes/exported_network.hpp"

#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"

namespace hacscale::runtimes {
namespace {

std::vector<ExportedTensor> with_batch(std::vector<onnx::ValueInfo>& values, int batch) {
    std::vector<ExportedTensor> tensors;
    for (onnx::ValueInfo& value : values) {
        value.shape->front() = {batch, ""};
        ExportedTensor tensor{value.name, {}, 1};
        for (const onnx::Dimension& dimension : *value.shape) {
            tensor.sizes.push_back(*dimension.size);
            tensor.elements *= static_cast<std::size_t>(*dimension.size);
        }
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

}  // namespace

ExportedNetwork export_for_runtime(const Graph& graph, const std::vector<LayerWeights>& weights, int batch) {
    Network network;
    network.name = "network";
    network.graph = graph;
    network.weights = weights;
    TracedExport traced = export_onnx_traced(network);
    ExportedNetwork exported;
    exported.inputs = with_batch(traced.model.graph.inputs, batch);
    exported.outputs = with_batch(traced.model.graph.outputs, batch);
    for (std::size_t i = 0; i < traced.model.graph.nodes.size(); ++i) {
        const onnx::Node& node = traced.model.graph.nodes[i];
        exported.nodes.push_back({node.name, node.inputs, node.outputs, traced.layers[i]});
    }
    exported.bytes = onnx::to_bytes(traced.model);
    return exported;
}

}  // namespace hacscale::runtimes
