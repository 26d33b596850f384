// Which channels of a base the channels of a scaled network are.
#pragma once

#include <cstddef>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/structure/structure.hpp"

namespace hacscale::detail {

// Layers, channels and nodes are numbered by int, vectors by std::size_t.
inline std::size_t at(int index) {
    return static_cast<std::size_t>(index);
}

// Of each group, of each of the scaled network's units, the base's unit that it is, or is a copy of.
using UnitLists = std::vector<std::vector<int>>;

// Of each tensor of the base, of each channel at the scaled widths, the base's channel.
using ChannelSources = std::vector<std::vector<int>>;
ChannelSources channel_sources(const Graph& base, const std::vector<ChannelGroup>& groups,
                               const UnitLists& units);

// How many times the most and the least copied of the `channels` channels from `first` on are in `sources`.
struct CopyCounts {
    int least = 0;
    int most = 0;
};
CopyCounts copies_of(const std::vector<int>& sources, std::size_t begin, std::size_t end, int first,
                     int channels);

}  // namespace hacscale::detail
