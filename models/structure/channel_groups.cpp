#include "models/structure/structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

// Channels of an input and of the output that can only change together: `blocks` times, so many of the one with so many of
// the other.
struct TiedBlocks {
    std::size_t input = 0;
    int blocks = 0;
    int input_channels = 1;
    int output_channels = 1;
};

// None for the first input of a layer whose weights join all channels.
std::vector<TiedBlocks> tied_blocks(const LayerSpec& layer) {
    std::vector<TiedBlocks> ties;
    switch (operator_of(layer.kind).channel_tie(layer)) {
        case ChannelTie::one_to_one:
            for (std::size_t input = 0; input < layer.inputs; ++input)
                ties.push_back({input, layer.in_channels});
            break;
        case ChannelTie::grouped:
            ties.push_back(
                {0, layer.groups, layer.in_channels / layer.groups, layer.out_channels / layer.groups});
            break;
        case ChannelTie::free:
        case ChannelTie::fixed:
            break;
    }
    if (layer.residual) ties.push_back({layer.inputs, layer.out_channels});
    return ties;
}

// A channel whose number cannot change: one of the network's inputs or outputs, or one that a layer moves.
constexpr int given = -1;

// Channels that change together, over all channels of all tensors.
class TiedChannels {
public:
    explicit TiedChannels(const Graph& graph) : graph_(graph) {
        int channels = 0;
        for (const Tensor& tensor : graph.tensors) {
            first_.push_back(channels);
            channels += tensor.channels;
        }
        parent_.resize(static_cast<std::size_t>(channels));
        std::iota(parent_.begin(), parent_.end(), 0);
        for (const Node& node : graph.nodes) {
            for (const TiedBlocks& tie : tied_blocks(node.layer)) add(node, tie);
        }
    }

    int size() const { return static_cast<int>(parent_.size()); }

    // One channel for all that are tied to it.
    int root_of(TensorId tensor, int channel) { return root(at(tensor, channel)); }

private:
    int at(TensorId tensor, int channel) const { return first_[static_cast<std::size_t>(tensor)] + channel; }

    int root(int channel) {
        while (parent_[static_cast<std::size_t>(channel)] != channel) {
            int& parent = parent_[static_cast<std::size_t>(channel)];
            parent = parent_[static_cast<std::size_t>(parent)];
            channel = parent;
        }
        return channel;
    }

    void merge(int a, int b) { parent_[static_cast<std::size_t>(root(b))] = root(a); }

    void add(const Node& node, const TiedBlocks& tie) {
        const TensorId input = node.inputs[tie.input];
        const TensorId output = node.outputs.front();
        for (int block = 0; block < tie.blocks; ++block) {
            const int from = at(input, block * tie.input_channels);
            const int to = at(output, block * tie.output_channels);
            for (int i = 0; i < tie.input_channels; ++i) merge(from, from + i);
            for (int i = 0; i < tie.output_channels; ++i) merge(from, to + i);
        }
    }

    const Graph& graph_;
    std::vector<int> first_;  // by tensor, its first channel among all
    std::vector<int> parent_;
};

// Of one tensor, the roots of its channels in their order, with how many of its channels each one stands for.
std::vector<std::pair<int, int>> roots_in(const Graph& graph, TiedChannels& tied, TensorId tensor,
                                          std::vector<int>& count) {
    std::vector<std::pair<int, int>> roots;
    for (int c = 0; c < graph.tensors[static_cast<std::size_t>(tensor)].channels; ++c) {
        const int root = tied.root_of(tensor, c);
        if (count[static_cast<std::size_t>(root)]++ == 0) roots.emplace_back(root, 0);
    }
    for (auto& [root, channels] : roots) channels = std::exchange(count[static_cast<std::size_t>(root)], 0);
    return roots;
}

// Of each root, a number that is equal for those in the same tensors with equally many channels in each of them: these
// make one width.
std::vector<int> kinds_of(const Graph& graph, TiedChannels& tied) {
    std::vector<int> kinds(static_cast<std::size_t>(tied.size()), 0);
    const auto fix = [&](const auto& tensors) {
        for (const TensorId tensor : tensors) {
            for (int c = 0; c < graph.tensors[static_cast<std::size_t>(tensor)].channels; ++c) {
                kinds[static_cast<std::size_t>(tied.root_of(tensor, c))] = given;
            }
        }
    };
    fix(graph.inputs);
    fix(graph.outputs);
    for (const Node& node : graph.nodes) {
        if (operator_of(node.layer.kind).channel_tie(node.layer) != ChannelTie::fixed) continue;
        fix(node.inputs);
        fix(node.outputs);
    }
    std::vector<int> count(kinds.size(), 0);
    int next = 1;
    for (TensorId tensor = 0; tensor < static_cast<TensorId>(graph.tensors.size()); ++tensor) {
        std::map<std::pair<int, int>, int> refined;  // by the kind so far, and the channels in this tensor
        for (const auto& [root, channels] : roots_in(graph, tied, tensor, count)) {
            int& kind = kinds[static_cast<std::size_t>(root)];
            if (kind == given) continue;
            const auto [known, is_new] = refined.try_emplace({kind, channels}, next);
            if (is_new) ++next;
            kind = known->second;
        }
    }
    return kinds;
}

void add_once(std::vector<int>& list, int value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& graph) {
    TiedChannels tied(graph);
    const std::vector<int> kinds = kinds_of(graph, tied);
    std::vector<int> count(kinds.size(), 0);
    std::map<int, std::size_t> group_of_kind;
    std::vector<std::vector<std::size_t>> groups_of_tensor(graph.tensors.size());
    std::vector<ChannelGroup> groups;
    for (TensorId tensor = 0; tensor < static_cast<TensorId>(graph.tensors.size()); ++tensor) {
        for (const auto& [root, channels] : roots_in(graph, tied, tensor, count)) {
            const int kind = kinds[static_cast<std::size_t>(root)];
            if (kind == given) continue;
            const auto [known, is_new] = group_of_kind.try_emplace(kind, groups.size());
            if (is_new) {
                ChannelGroup& group = groups.emplace_back();
                group.multiple = channels;
                const int producer = graph.tensors[static_cast<std::size_t>(tensor)].producer;
                group.name = graph.nodes[static_cast<std::size_t>(producer)].name;
            }
            ChannelGroup& group = groups[known->second];
            if (group.tensors.empty() || group.tensors.back() != tensor) {
                group.tensors.push_back(tensor);
                group.channels.push_back(0);
                groups_of_tensor[static_cast<std::size_t>(tensor)].push_back(known->second);
            }
            group.channels.back() += channels;
        }
    }
    for (ChannelGroup& group : groups) group.base_width = group.channels.front();
    for (int n = 0; n < static_cast<int>(graph.nodes.size()); ++n) {
        const Node& node = graph.nodes[static_cast<std::size_t>(n)];
        for (const TensorId tensor : node.inputs) {
            for (const std::size_t g : groups_of_tensor[static_cast<std::size_t>(tensor)]) {
                add_once(groups[g].readers, n);
            }
        }
        for (const TensorId tensor : node.outputs) {
            for (const std::size_t g : groups_of_tensor[static_cast<std::size_t>(tensor)]) {
                add_once(groups[g].producers, n);
            }
        }
    }
    return groups;
}

Graph widened(const Graph& graph, const ChannelGroup& group, int width) {
    if (width < 1 || width > max_layer_size || width % group.multiple != 0) {
        throw InputError(fmt::format("{} has no width of {} channels, expected a multiple of {} up to {}",
                                     group.name, width, group.multiple, max_layer_size));
    }
    Graph result = graph;
    for (std::size_t i = 0; i < group.tensors.size(); ++i) {
        const std::int64_t more = std::int64_t{width - group.base_width} * group.channels[i];
        result.tensors[static_cast<std::size_t>(group.tensors[i])].channels +=
            static_cast<int>(more / group.base_width);
    }
    const auto fit = [&](int index) {
        Node& node = result.nodes[static_cast<std::size_t>(index)];
        LayerSpec& layer = node.layer;
        const std::int64_t params = cost_of(layer, 1, DataType::f32).params;
        const int in_channels = result.input_of(node).channels;
        if (layer.groups > 1) {
            layer.groups = static_cast<int>(std::int64_t{layer.groups} * in_channels / layer.in_channels);
        }
        layer.in_channels = in_channels;
        layer.out_channels = result.tensors[static_cast<std::size_t>(node.outputs.front())].channels;
        if (const auto fault = validate(layer)) {
            throw InputError(
                fmt::format("{} at {} channels: {} cannot run: {}", group.name, width, node.name, *fault));
        }
        node.learned_params += cost_of(layer, 1, DataType::f32).params - params;
    };
    std::for_each(group.producers.begin(), group.producers.end(), fit);
    for (const int reader : group.readers) {
        if (std::find(group.producers.begin(), group.producers.end(), reader) == group.producers.end())
            fit(reader);
    }
    return result;
}

}  // namespace hacscale
