// What can be scaled in a network, found from the edges of its graph: channels that have one width, widths of a ModelSpec
// that are one number, and blocks that repeat.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale {

// ---- Channel groups ----
//
// Which channels of a network change together. Channels are tied where a layer between them keeps them apart (a residual add,
// a depthwise or grouped conv, a pool, a squeeze-excite) or only moves them (a concat, a slice, a shuffle). A dense conv and a
// linear layer read all channels and make new ones; where several have one module's weights, they read and write the same ones. Channels that are tied, in all tensors, are a unit: a network has it whole
// or not at all.
//
// A group is a chain of units that follow one another wherever they are, so that any number of them fits in their place. A tensor
// may have channels of several groups, one after another: behind a concat, or where a slice takes some of its channels. Widening
// a group means more channels in all its tensors, and in every layer that writes or reads one.
//
// Widths that are given from outside belong to no group: those of the network's inputs and outputs, of layers that make pixels or
// other axes of channels (a pixel shuffle, a permute), and of units of which a slice, a concat or a shuffle puts a part elsewhere.

struct GroupRules {
    GroupedConvs grouped_convs = GroupedConvs::keep_width;
    // Slices that divide a tensor into equal parts keep them equal, as code that splits by a number of parts does (PyTorch's chunk): the same
    // channels of all parts are one unit. A network that is written as a file needs no such parts.
    bool equal_slices = false;
};

// Where a tensor has all units of a group, in their order, with equally many channels each.
struct ChannelSegment {
    TensorId tensor = 0;
    int first = 0;     // channel, at the base's widths
    int channels = 0;  // at the base's width
    bool operator==(const ChannelSegment&) const = default;
};

// A slice that begins behind channels of the group.
struct SlicedBehind {
    int node = 0;      // index into Graph::nodes
    int channels = 0;  // of the group before LayerSpec::first_channel, at the base's width
    bool operator==(const SlicedBehind&) const = default;
};

struct ChannelGroup {
    std::string name;    // of the first node that writes it; of its second and later groups with "#2", "#3"
    int base_width = 0;  // channels, of the first of its tensors
    int multiple = 1;    // the width is a multiple of it: channels of a unit in that tensor
    GroupedConvs grouped_convs = GroupedConvs::keep_width;
    std::vector<TensorId> tensors;         // ascending
    std::vector<int> channels;             // of each of them, how many of its channels belong to the group
    std::vector<ChannelSegment> segments;  // by tensor, then by channel
    std::vector<SlicedBehind> slices;
    // Indices into Graph::nodes, ascending. A layer that keeps channels apart is in both lists.
    std::vector<int> producers;
    std::vector<int> readers;

    int units() const { return base_width / multiple; }
};

// In the order in which the network first writes them. `graph` passes validate().
std::vector<ChannelGroup> channel_groups(const Graph& graph, const GroupRules& rules = {});

// The group's widths between two ratios of its own, ascending: multiples of `grid` and of group.multiple, of at most what a layer may
// have. Its own is among them where it is such a multiple. Ratios come from decimal texts, so products that should be whole may be
// off in their last bits.
std::vector<int> widths_between(const ChannelGroup& group, int grid, double min_ratio, double max_ratio);

// Throws InputError where `width` is no width of the group: below 1, no multiple, larger than a layer may be.
void check_width(const ChannelGroup& group, int width);

// The graph with one of its channel groups at `width`, a multiple of group.multiple, and everything else as it is:
// squeeze-excites squeeze to as many channels as before. `graph` may have other groups of its base at other widths already.
// Throws InputError where a layer of that width cannot run.
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
    TensorId input = 0;   // of the first block
    TensorId output = 0;  // of the last one
};

// In running order; no node is in two of them. Blocks without a residual add around them repeat from two on: a single layer
// that happens to keep the shape of what it reads is no block. `graph` passes validate().
std::vector<Repeat> repeats(const Graph& graph);

// A block of a repeat.
struct BlockPlace {
    std::size_t repeat = 0;
    int block = 0;  // in running order
    auto operator<=>(const BlockPlace&) const = default;
};
// The block that a node is in; nothing where it is in none.
std::optional<BlockPlace> block_of_node(const std::vector<Repeat>& repeats, int node);
// The block that all layers of a group are in; nothing where they are in several or outside of all.
std::optional<BlockPlace> block_of_group(const std::vector<Repeat>& repeats, const ChannelGroup& group);

}  // namespace hacscale
