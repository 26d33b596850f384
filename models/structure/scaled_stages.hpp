// A network with stages, scaled as a graph: its channel groups and repeats chosen one by one, and the result as a model with stages again.
#pragma once

#include <vector>

#include "models/stages/model_spec.hpp"
#include "models/structure/scaled_graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {

// The model whose layers are, one by one, those of scaled(lower(base), groups, repeats, choice). `groups` and `repeats` are those of lower(base).
// Its name is the base's. Throws InputError as scaled() does, and where no model with stages has these layers: a stage without blocks, or
// widths that its blocks cannot have one by one.
ModelSpec scaled_stages(const ModelSpec& base, const std::vector<ChannelGroup>& groups,
                        const std::vector<Repeat>& repeats, const GraphChoice& choice);

}  // namespace hacscale
