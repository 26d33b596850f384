// What can be scaled in a network, found from the edges of its graph: channels that have one width, widths of a ModelSpec
// that are one number, and blocks that repeat.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// ---- Channel groups ----
//
// Which channels of a network have one width. The channel axes of two tensors are tied where a
// layer between them keeps channels apart: a residual add, a depthwise or grouped conv, a pool, a squeeze-excite. A dense
// conv and a linear layer read all channels and make a new axis.
//
// Widening one tensor of a group means widening all of them, and every layer that writes or reads one. A width of the
// network's inputs and outputs is given from outside, and layers that move channels (concat, slice, shuffles) keep the
// widths that they read and write: what is tied to such a width belongs to no group.

struct ChannelGroup {
    std::string name;    // of the first node that writes it
    int base_width = 0;  // channels, of the first of its tensors
    int multiple = 1;    // the width is a multiple of it: channels that a grouped conv keeps together
    std::vector<TensorId> tensors;  // ascending
    std::vector<int> channels;      // of each of them, how many of its channels have this width
    // Indices into Graph::nodes, ascending. A layer that keeps channels apart is in both lists.
    std::vector<int> producers;
    std::vector<int> readers;
};

// In the order in which the network first writes them. `graph` passes validate().
std::vector<ChannelGroup> channel_groups(const Graph& graph);

// The graph with one of its channel groups at `width`, a multiple of group.multiple, and everything else as it is: grouped
// convs have more or fewer groups of the same size, and squeeze-excites squeeze to as many channels as before. `graph` may
// have other groups of its base at other widths already. Throws InputError where a layer of that width cannot run.
Graph widened(const Graph& graph, const ChannelGroup& group, int width);

// ---- Widths of a ModelSpec ----
//
// A network's widths are numbers in its ModelSpec: those of the plain layers of stem and head, of each stage, and the
// inner width of each block. Each sets the channels of some layers; widths that set channels of one group can only change
// together. The edges at the base's own widths say what is tied.

struct WidthParameter {
    enum class Place { stem, stage, inner, head };
    Place place = Place::stage;
    int index = 0;  // of the plain layer in stem or head; of the stage otherwise
    int block = 0;  // inner only
    bool operator==(const WidthParameter&) const = default;
};

struct WidthGroup {
    // In the order of the network, at least one. More than one where layers tie them.
    std::vector<WidthParameter> parameters;
    std::string name;    // of the parameters, as "stem.conv1 + stage1" or "stage1.block2 inner"
    int base_width = 0;  // channels
    int multiple = 1;    // the width is a multiple of it, for a grouped conv
};

// All widths that can be chosen, in the order of the network; the channels of the input and what the last
// layer puts out cannot. `base` passes check().
std::vector<WidthGroup> width_groups(const ModelSpec& base);

// The base with this group at `width` and everything else as it is. What it returns may fail check().
ModelSpec widened(const ModelSpec& base, const WidthGroup& group, int width);

// ---- Repeats ----
//
// Which blocks of a network repeat: their number is a depth that can be chosen.
//
// Where a single tensor connects all that runs before with all that runs after, the network can be cut. What is between
// two neighbouring cuts is a segment; a block is a segment, or several in a row. Blocks are equal when their layers and the
// edges between these are.

// Equal blocks one after another, with one shape at all their inputs and outputs: so any number of them fits in their place.
struct Repeat {
    std::string name;     // of the first node
    int first_node = 0;   // index into Graph::nodes; the blocks follow one another in running order
    int block_nodes = 0;  // nodes of one block
    int count = 1;        // blocks
};

// In running order; no node is in two of them. Blocks without a residual add around them repeat from two on: a single layer
// that happens to keep the shape of what it reads is no block. `graph` passes validate().
std::vector<Repeat> repeats(const Graph& graph);

}  // namespace hacscale
