// How many channels a tensor of a network has, as a sum over channel groups: one group's for most, several where a concat joined
// them. Internal to scaling/.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale::detail {

struct ChannelSum {
    int constant = 0;
    std::map<std::size_t, int> of_group;  // the channels that it has at the group's base width
    bool operator==(const ChannelSum&) const = default;

    ChannelSum& operator+=(const ChannelSum& other);
    // Channels at these widths of the groups.
    int at(const std::vector<ChannelGroup>& groups, const std::vector<int>& widths) const;
};

// The part that one group adds at a width; exact, because widths are multiples of the group's.
int channels_at_width(const ChannelGroup& group, int channels, int width);

// Of each tensor.
std::vector<ChannelSum> channel_sums(const Graph& base, const std::vector<ChannelGroup>& groups);
// Of what a layer reads: its first input, and the others where it joins them. `sums`: those of the tensors.
ChannelSum channels_read_by(const Node& node, const std::vector<ChannelSum>& sums);

}  // namespace hacscale::detail
