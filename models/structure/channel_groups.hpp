// Which channels of a network have one width, found from its edges alone. The channel axes of two tensors are tied where a
// layer between them keeps channels apart: a residual add, a depthwise or grouped conv, a pool, a squeeze-excite. A dense
// conv and a linear layer read all channels and make a new axis.
//
// Widening one tensor of a group means widening all of them, and every layer that writes or reads one. A width of the
// network's inputs and outputs is given from outside: what is tied to it belongs to no group.
#pragma once

#include <string>
#include <vector>

#include "models/graph/graph.hpp"

namespace hacscale {

struct ChannelGroup {
    std::string name;    // of the first node that writes it
    int base_width = 0;  // channels, of the first of its tensors
    int multiple = 1;    // the width is a multiple of it: channels that a grouped conv keeps together
    std::vector<TensorId> tensors;  // ascending
    // Indices into Graph::nodes, ascending. A layer that keeps channels apart is in both lists.
    std::vector<int> producers;
    std::vector<int> readers;
};

// In the order in which the network first writes them. `graph` passes validate().
std::vector<ChannelGroup> channel_groups(const Graph& graph);

}  // namespace hacscale
