// All weights of a scaled network from those of its base, once it is known which node, and which channel of it, comes from where.
#pragma once

#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/structure/scaled_graph.hpp"
#include "models/weights/detail/channel_sources.hpp"
#include "models/weights/detail/identity.hpp"
#include "models/weights/weight_settings.hpp"

namespace hacscale::detail {

struct WeightMap {
    const Network& base;
    const ChannelSources& sources;  // of the base's tensors
    const WeightSettings& settings;
};

// One entry a node of `graph`; of a node without an origin random ones. Adds the nodes that cannot compute what the base's do.
// Throws InputError, which names the node, where channels are not tied as its layer needs.
std::vector<LayerWeights> mapped_weights(const WeightMap& map, const Graph& graph,
                                         const std::vector<NodeOrigin>& origins,
                                         std::vector<std::string>& inexact);

// New blocks pass on their input where they can; adds the reasons of the others. Returns what was changed in all of them.
Identity start_as_identities(Network& network, const std::vector<NodeRange>& added,
                             std::vector<std::string>& inexact);

}  // namespace hacscale::detail
