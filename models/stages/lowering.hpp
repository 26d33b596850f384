// A ModelSpec as a graph of layers: the rules by which blocks become nodes.
#pragma once

#include "models/graph/graph.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// One input. Outputs are those of ModelSpec::output_stages, then what the last layer puts out. Every layer gets the model's layout. Throws InputError as check() does.
Graph lower(const ModelSpec& model);

}  // namespace hacscale
