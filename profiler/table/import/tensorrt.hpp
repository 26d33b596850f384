// What TensorRT's trtexec says of an engine, as rows: --exportProfile (a time for each of the engine's layers), --exportLayerInfo
// (what these layers are) and --exportTimes (the whole engine). samples/common/sampleReporting.cpp of NVIDIA/TensorRT
// writes the first and the last; the second is IEngineInspector's. docs/formats.md, "TensorRT's profiles".
//
// An engine's layers are fused otherwise than ours. Both are made of nodes of one ONNX file, which the layer info names
// ("Metadata", or the layer's own name). So layers that share a node belong together: what is one layer here has the sum of
// the engine's layers that compute parts of it. What the engine runs in one piece with other layers has no time of its own, and no row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "profiler/table/import/engine.hpp"
#include "profiler/table/import/import.hpp"

namespace hacscale {

// The network that the engine was built from.
struct TensorRtNetwork {
    std::string name;
    std::string hash;  // network_hash()
    Graph graph;
    std::vector<std::vector<std::string>> nodes;  // of the ONNX file, for each node of the graph
};

struct TensorRtImport : ImportedRows {
    double layers_us = 0.0;  // sum over the engine's layers
    double rows_us = 0.0;    // of these, what the rows have: over the network's layers, not over rows
    std::optional<double> engine_us;  // median of the whole engine's passes
    std::vector<EngineLayer> without_row;
    std::vector<std::string> not_found;  // layers of the network that no layer of the engine names
    bool in_one_piece = false;  // the engine runs several of the network's layers so, and they have no rows
    std::vector<std::string> notes;

    // Whether all of the file, and of the network, has rows.
    bool complete() const { return ignored.empty() && not_found.empty() && !in_one_piece; }
};

// With a network, its layers have the rows; several places of one layer have their mean. Without one, convs and pools whose layer
// info is detailed (--profilingVerbosity=detailed) have. A time is the median over the profile's passes where the file has
// it (TensorRT 8.5 and newer), else the mean. An engine's rows are of one data type, that of most of its time unless
// `settings_type` is given. Throws InputError for files that are not what trtexec writes or do not fit together, and for an
// engine that computes in a type that tables do not have.
TensorRtImport import_tensorrt(const TensorRtFiles& files, const std::optional<TensorRtNetwork>& network,
                               const ImportSettings& settings, std::optional<DataType> settings_type);

}  // namespace hacscale
