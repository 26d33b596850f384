#include "models/weights/detail/channel_sources.hpp"

#include <algorithm>
#include <numeric>

namespace hacscale::detail {

ChannelSources channel_sources(const Graph& base, const std::vector<ChannelGroup>& groups,
                               const UnitLists& units) {
    struct Segment {
        ChannelSegment at;
        std::size_t group = 0;
    };
    std::vector<std::vector<Segment>> segments(base.tensors.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const ChannelSegment& segment : groups[g].segments) {
            segments[static_cast<std::size_t>(segment.tensor)].push_back({segment, g});
        }
    }
    ChannelSources sources(base.tensors.size());
    for (std::size_t t = 0; t < base.tensors.size(); ++t) {
        std::ranges::sort(segments[t], {}, [](const Segment& segment) { return segment.at.first; });
        std::vector<int>& list = sources[t];
        int channel = 0;
        const auto keep_until = [&](int end) {
            for (; channel < end; ++channel) list.push_back(channel);
        };
        for (const Segment& segment : segments[t]) {
            keep_until(segment.at.first);
            const int each = segment.at.channels / groups[segment.group].units();
            for (const int unit : units[segment.group]) {
                for (int i = 0; i < each; ++i) list.push_back(segment.at.first + unit * each + i);
            }
            channel += segment.at.channels;
        }
        keep_until(base.tensors[t].channels);
    }
    return sources;
}

CopyCounts copies_of(const std::vector<int>& sources, std::size_t begin, std::size_t end, int first,
                     int channels) {
    std::vector<int> counts(static_cast<std::size_t>(channels), 0);
    for (std::size_t i = begin; i < end; ++i) {
        const int channel = sources[i] - first;
        if (channel >= 0 && channel < channels) ++counts[static_cast<std::size_t>(channel)];
    }
    const auto [least, most] = std::ranges::minmax(counts);
    return {least, most};
}

}  // namespace hacscale::detail
