// A graph with other widths and depths: all channel groups and repeats of a base at once, for networks of any front end.
#pragma once

#include <compare>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {

struct GraphChoice {
    std::vector<int> widths;  // one a group
    std::vector<int> depths;  // one a repeat: the blocks that it has; 0: none
    // Which blocks a repeat has, as indices of the base's in running order: {0, 2} leaves out the second of three, {0, 1, 1} has
    // one that starts as a copy of the second. Empty, or a list for each repeat, which is empty where the first ones are kept,
    // or else the last one is copied; others are as many as the depth says.
    std::vector<std::vector<int>> blocks{};
    auto operator<=>(const GraphChoice&) const = default;
};

// Where a node of a scaled graph comes from.
struct NodeOrigin {
    int node = 0;  // of the base
    int copy = 0;  // 0: it is that node; 1, 2, ...: the first, second copy of it
    bool operator==(const NodeOrigin&) const = default;
};

struct NodeRange {
    int begin = 0;  // nodes [begin, end)
    int end = 0;
    bool operator==(const NodeRange&) const = default;
};

struct ScaledGraph {
    Graph graph;
    std::vector<NodeOrigin> origins;  // one a node
    std::vector<NodeRange> added;     // blocks that are copies
};

// The choice that changes nothing.
GraphChoice choice_of(const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats);

// The blocks of repeat `index`, all of them as GraphChoice::blocks names them.
std::vector<int> blocks_of(const Repeat& repeat, const GraphChoice& choice, std::size_t index);

// The choice with these blocks (as GraphChoice::blocks, all of them named) in place of the first ones of each repeat: the i-th that
// is kept has the inner widths of the choice's i-th block, so that the network has the same layers. Groups inside of blocks that go have
// their base's width.
GraphChoice keeping_blocks(const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats,
                           GraphChoice choice, std::vector<std::vector<int>> blocks);

// Of each block of a repeat, the tensor that it puts out; the last one is repeat.output.
std::vector<TensorId> block_outputs(const Graph& base, const Repeat& repeat);

// Of each repeat, whether the channels at its blocks' inputs and outputs are tied, as by residual adds. Of others the blocks'
// number can change only while those have equal widths.
std::vector<bool> ties_its_ends(const Graph& base, const std::vector<ChannelGroup>& groups,
                                const std::vector<Repeat>& repeats);

// `groups` and `repeats` are those of `base`, as channel_groups() and repeats() find them, or some of these. Inputs and outputs of the
// graph stay as they are, and so do squeeze-excites' inner widths. Names stay unique: those of a block's copies end with
// ".copy1", ".copy2". Blocks within a stage are counted anew. Throws InputError where the choice does not have one entry a group
// and repeat, a width is no width of its group, a depth is negative, blocks are not those of the repeat, the number of
// blocks changes between different widths, or a layer cannot run.
ScaledGraph scaled(const Graph& base, const std::vector<ChannelGroup>& groups,
                   const std::vector<Repeat>& repeats, const GraphChoice& choice);

}  // namespace hacscale
