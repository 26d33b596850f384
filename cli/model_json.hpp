// A network as JSON, the answer of `models show --json`: its counts, its layers, and the graph from which
// another framework can rebuild it. The contract stands in docs/formats.md.
#pragma once

#include "models/stages/model_spec.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

// Activations and MACs at batch 1; bytes at this batch and data type.
records::Json model_json(const ModelSpec& model, int batch, DataType type);

}  // namespace hacscale::cli
