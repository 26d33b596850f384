// A scaled network with weights: what training starts from. A wider network computes what its base does (Net2WiderNet, Chen et al. 2016):
// a new unit is a copy of one, and what reads it is divided among the copies; batch-norms are folded, so their scales and shifts go
// along. A deeper one has new blocks that pass on their input. A narrower one keeps the units with the highest scores, in all layers
// that write or read them, and a shallower one the blocks.
#pragma once

#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/stages/model_spec.hpp"
#include "models/structure/scaled_graph.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/weight_settings.hpp"

namespace hacscale {

struct ScaledNetwork {
    Network network;  // with weights; its name is the base's
    std::vector<NodeOrigin>
        origins;  // one a node; node is no_node for one of a new block that the base has no like of
    // Of each group and unit, the base's unit; of each repeat, the base's blocks, as GraphChoice::blocks.
    std::vector<std::vector<int>> units;
    std::vector<std::vector<int>> blocks;
    // Of each tensor of the base, the base's channel of each channel that it has at the scaled widths.
    std::vector<std::vector<int>> channels;
    // Nodes of new blocks whose weights make these identities: those whose output is zero, and those that copy their input.
    std::vector<int> zeroed;
    std::vector<int> copying;
    // Whether no unit and no block of the base was dropped.
    bool keeps_all = true;
    // Why outputs are not the base's although it keeps all, a sentence each: "layer1.norm: its statistics count ...".
    std::vector<std::string> inexact;

    // Outputs are the base's, but for rounding.
    bool same_function() const { return keeps_all && inexact.empty(); }
};

// `groups` and `repeats` are those of base.graph, or some of these. Throws InputError where `choice` is none that scaled() takes, where
// the base has no weights, weights of other sizes or no numbers (check_weights()), for scores that do not fit or are no numbers, and,
// naming the node, where groups do not keep its channels together.
ScaledNetwork scaled_network(const Network& base, const std::vector<ChannelGroup>& groups,
                             const std::vector<Repeat>& repeats, const GraphChoice& choice,
                             const WeightSettings& settings = {});

// How the channel groups of a network with stages are found: stages that say a number of groups keep it.
GroupedConvs grouped_convs_of(const ModelSpec& model);

// A network with stages, from weights of its base (one entry a node of lower(base)): `target` is the base with other widths, inner widths,
// depths or another resolution, as scaled() of models/stages/scaled_model.hpp makes it. Blocks that the base has no like of start with
// random weights, as an identity where they can. `settings.unit_scores` are those of channel_groups(lower(base)) by
// grouped_convs_of(base), block scores of repeats(lower(base)). Throws InputError as above, and where the layers of a block are others than the base's.
ScaledNetwork scaled_network(const ModelSpec& base, const std::vector<LayerWeights>& weights,
                             const ModelSpec& target, const WeightSettings& settings = {});

}  // namespace hacscale
