#include "kernels/runtimes/exported_network.hpp"

#include "kernels/host/cpu_description.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/formats/onnx_export/quantized.hpp"

namespace hacscale::runtimes {
namespace {

std::vector<ExportedTensor> with_batch(std::vector<onnx::ValueInfo>& values, int batch) {
    std::vector<ExportedTensor> tensors;
    for (onnx::ValueInfo& value : values) {
        if (!value.shape->empty()) value.shape->front() = {batch, ""};
        ExportedTensor tensor{value.name, {}, 1};
        for (const onnx::Dimension& dimension : *value.shape) {
            tensor.sizes.push_back(*dimension.size);
            tensor.elements *= static_cast<std::size_t>(*dimension.size);
        }
        tensors.push_back(std::move(tensor));
    }
    return tensors;
}

TracedExport traced_export(const Graph& graph, const std::vector<LayerWeights>& weights) {
    // The tensors of an export are views of the network's numbers, and this copy of those ends here.
    Network network;
    network.name = "network";
    network.graph = graph;
    network.weights = weights;
    TracedExport traced = export_onnx_traced(network);
    for (onnx::Tensor& tensor : traced.model.graph.initializers) {
        tensor.data = onnx::Bytes(std::string(tensor.data.view()));
    }
    return traced;
}

ExportedNetwork with_bytes(TracedExport traced, int batch) {
    ExportedNetwork exported;
    exported.inputs = with_batch(traced.model.graph.inputs, batch);
    exported.outputs = with_batch(traced.model.graph.outputs, batch);
    for (std::size_t i = 0; i < traced.layers.size(); ++i) {
        const onnx::Node& node = traced.model.graph.nodes[i];
        exported.nodes.push_back({node.name, node.inputs, node.outputs, traced.layers[i]});
    }
    exported.bytes = onnx::to_bytes(traced.model);
    return exported;
}

}  // namespace

ExportedNetwork export_for_runtime(const Graph& graph, const std::vector<LayerWeights>& weights, int batch) {
    return with_bytes(traced_export(graph, weights), batch);
}

ExportedNetwork export_quantized(const Graph& graph, const std::vector<LayerWeights>& weights, int batch,
                                 const Calibrate& calibrate) {
    TracedExport traced = traced_export(graph, weights);
    const std::vector<std::string> values = values_to_quantize(traced, graph);
    std::vector<ValueRange> ranges(values.size());
    for (const auto& outputs : calibrate(with_bytes({with_ranges(traced.model, values), traced.layers}, 1))) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            ranges[i].add({outputs.at(2 * i).front(), outputs.at(2 * i + 1).front()});
        }
    }
    const int greatest = host::has_wide_integer_sums() ? greatest_weight : greatest_narrow_weight;
    return with_bytes(quantized(std::move(traced), graph, ranges, greatest), batch);
}

}  // namespace hacscale::runtimes
