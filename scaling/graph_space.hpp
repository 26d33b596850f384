// What may be chosen in a network of any shape: for each of its channel groups the widths, and for each of its repeats the
// numbers of blocks. Outputs of the network, and what is tied to one, are in no group and never change.
//
// A group's widths are the multiples of the grid (and of the group's own multiple) between two ratios of the base's width, a
// repeat's depths all integers between two ratios of the base's; the base's own values are always among them. The number of a
// repeat's blocks can change only where what its blocks read and write has one width whatever is chosen, as residual adds see to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/structure/scaled_graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {

// Names are those of groups (of the first layer that writes one), or of any layer that writes one.
struct WidthLimit {
    std::string name;
    int min = 1;  // channels
    int max = 1;
};

// "NAME:MIN..MAX". Throws InputError for any other text.
WidthLimit parse_width_limit(std::string_view text);

struct GraphSpaceSettings {
    int grid = 8;                  // channels
    double min_width_ratio = 0.5;  // of each group's base width
    double max_width_ratio = 2.0;
    double min_depth_ratio = 0.5;  // of each repeat's base depth; at least one block always stays
    double max_depth_ratio = 2.0;
    int max_widths = 0;  // a group, besides the base's, spread evenly; 0: all on the grid
    // Layers that stay as they are: what they write keeps its width, and a repeat that holds one its number of blocks.
    std::vector<std::string> freeze{};
    std::vector<WidthLimit> limits{};
    GroupRules group_rules{};
};

struct GraphSpace {
    std::vector<ChannelGroup> groups;
    std::vector<Repeat> repeats;
    std::vector<std::vector<int>> widths;  // of each group, ascending
    std::vector<std::vector<int>> depths;  // of each repeat, ascending

    // Of each group, the block that all its layers are in; nothing where they are in several or outside of all.
    std::vector<std::optional<BlockPlace>> block_of_group;

    // Whether all layers of a group are in a block that a choice does not have.
    bool is_gone(const GraphChoice& choice, std::size_t group) const {
        const std::optional<BlockPlace>& place = block_of_group[group];
        return place && choice.depths[place->repeat] <= place->block;
    }
    // How many choices there are, as the decimal logarithm.
    double log10_size() const;
};

// Throws InputError for ratios, a grid or a number of widths that make no sense, and for names: one that there is not, one that
// is given twice, a limit on an output or on a layer that writes several groups, a limit that leaves out the base's own width.
GraphSpace make_graph_space(const Graph& base, const GraphSpaceSettings& settings);

}  // namespace hacscale
