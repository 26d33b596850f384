#include "scaling/detail/channel_sums.hpp"

#include <cstdint>

#include "models/ops/operator.hpp"

namespace hacscale::detail {

ChannelSum& ChannelSum::operator+=(const ChannelSum& other) {
    constant += other.constant;
    for (const auto& [group, channels] : other.of_group) of_group[group] += channels;
    return *this;
}

int ChannelSum::at(const std::vector<ChannelGroup>& groups, const std::vector<int>& widths) const {
    int sum = constant;
    for (const auto& [group, channels] : of_group) {
        sum += channels_at_width(groups[group], channels, widths[group]);
    }
    return sum;
}

int channels_at_width(const ChannelGroup& group, int channels, int width) {
    return static_cast<int>(std::int64_t{width} * channels / group.base_width);
}

std::vector<ChannelSum> channel_sums(const Graph& base, const std::vector<ChannelGroup>& groups) {
    std::vector<ChannelSum> sums(base.tensors.size());
    for (std::size_t t = 0; t < sums.size(); ++t) sums[t].constant = base.tensors[t].channels;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (std::size_t i = 0; i < groups[g].tensors.size(); ++i) {
            ChannelSum& sum = sums[static_cast<std::size_t>(groups[g].tensors[i])];
            sum.constant -= groups[g].channels[i];
            sum.of_group[g] += groups[g].channels[i];
        }
    }
    return sums;
}

ChannelSum channels_read_by(const Node& node, const std::vector<ChannelSum>& sums) {
    const int joined = operator_of(node.layer.kind).shares_channels ? node.layer.inputs : 1;
    ChannelSum read;
    for (int i = 0; i < joined; ++i) {
        read += sums[static_cast<std::size_t>(node.inputs[static_cast<std::size_t>(i)])];
    }
    return read;
}

}  // namespace hacscale::detail
