// A network as another runtime is given it: an ONNX file in memory, and which of its nodes are parts of which layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::runtimes {

// An input or output, f32, in the order of the graph's. Its numbers are in one order whether the file has axes of one pixel or not.
struct ExportedTensor {
    std::string name;
    std::vector<std::int64_t> sizes;  // the batch first
    std::size_t elements = 0;
};

struct ExportedNode {
    std::string name;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    int layer = 0;  // the node of the graph
};

struct ExportedNetwork {
    std::string bytes;
    std::vector<ExportedTensor> inputs;
    std::vector<ExportedTensor> outputs;
    std::vector<ExportedNode> nodes;
};

// For this batch and no other. Throws InputError for weights that do not fit one file (2 GB).
ExportedNetwork export_for_runtime(const Graph& graph, const std::vector<LayerWeights>& weights, int batch);

// Runs a network in f32 on one sample after the other, and gives its outputs for each.
using Calibrate = std::function<std::vector<std::vector<std::vector<float>>>(const ExportedNetwork&)>;
// The same in 8-bit integers (models/formats/onnx_export/quantized.hpp), whose ranges are those over all samples.
ExportedNetwork export_quantized(const Graph& graph, const std::vector<LayerWeights>& weights, int batch,
                                 const Calibrate& calibrate);

}  // namespace hacscale::runtimes
