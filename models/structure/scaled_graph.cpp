#include "models/structure/scaled_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "models/ops/operator.hpp"
#include "models/structure/detail/channel_units.hpp"

namespace hacscale {
namespace {

class Scaling {
public:
    Scaling(const Graph& base, const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats,
            const GraphChoice& choice)
        : base_(base), groups_(groups), repeats_(repeats), choice_(choice), tensor_(base.tensors.size(), 0) {
        if (choice.widths.size() != groups.size() || choice.depths.size() != repeats.size()) {
            throw InputError(
                fmt::format("a choice of {} widths and {} depths, the network has {} groups and {} repeats",
                            choice.widths.size(), choice.depths.size(), groups.size(), repeats.size()));
        }
        for (std::size_t g = 0; g < groups.size(); ++g) check_width(groups[g], choice.widths[g]);
        set_widths();
    }

    ScaledGraph run() {
        for (const TensorId input : base_.inputs) {
            const Tensor& tensor = base_.tensors[index(input)];
            tensor_[index(input)] = result_.graph.add_input(tensor.channels, tensor.height, tensor.width);
        }
        std::size_t next_repeat = 0;
        for (int n = 0; n < static_cast<int>(base_.nodes.size());) {
            if (next_repeat < repeats_.size() && repeats_[next_repeat].first_node == n) {
                const Repeat& repeat = repeats_[next_repeat];
                add_repeat(repeat, next_repeat++);
                n += repeat.block_nodes * repeat.count;
            } else {
                add({n++, 0});
            }
        }
        for (const TensorId output : base_.outputs) result_.graph.outputs.push_back(tensor_[index(output)]);
        name_copies();
        count_blocks();
        if (const auto fault = validate(result_.graph)) {
            throw InputError(fmt::format("the network cannot have these widths and depths: {}", *fault));
        }
        return std::move(result_);
    }

private:
    static std::size_t index(int i) { return static_cast<std::size_t>(i); }

    // Of all tensors of the base at the chosen widths, and where its slices begin.
    void set_widths() {
        for (const Tensor& tensor : base_.tensors) channels_.push_back(tensor.channels);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            const ChannelGroup& group = groups_[g];
            const auto more = [&](int channels) {
                return static_cast<int>(std::int64_t{choice_.widths[g] - group.base_width} * channels /
                                        group.base_width);
            };
            for (std::size_t i = 0; i < group.tensors.size(); ++i) {
                channels_[index(group.tensors[i])] += more(group.channels[i]);
            }
            for (const SlicedBehind& slice : group.slices) moved_[slice.node] += more(slice.channels);
            grouped_convs_ = group.grouped_convs;
        }
    }

    void add(NodeOrigin place) {
        Node node = base_.nodes[index(place.node)];
        const TensorId output = node.outputs.front();
        const TensorIds inputs = std::exchange(node.inputs, {});
        for (const TensorId input : inputs) node.inputs.push_back(tensor_[index(input)]);
        if (const auto moved = moved_.find(place.node); moved != moved_.end()) {
            node.layer.first_channel += moved->second;
        }
        Graph& graph = result_.graph;
        Tensor written = base_.tensors[index(output)];
        written.channels = channels_[index(output)];
        written.producer = static_cast<int>(graph.nodes.size());
        graph.tensors.push_back(written);
        node.outputs = {static_cast<TensorId>(graph.tensors.size()) - 1};
        detail::fit_to_tensors(node, graph, grouped_convs_, "at the chosen widths");
        tensor_[index(output)] = node.outputs.front();
        graph.nodes.push_back(std::move(node));
        result_.origins.push_back(place);
    }

    void add_repeat(const Repeat& repeat, std::size_t at) {
        const std::vector<int> blocks = blocks_of(repeat, choice_, at);
        const std::vector<TensorId> outputs = block_outputs(base_, repeat);
        std::vector<int> as_it_was(index(repeat.count));
        std::iota(as_it_was.begin(), as_it_was.end(), 0);
        if (blocks != as_it_was) {
            for (const TensorId output : outputs) {
                if (channels_[index(output)] == channels_[index(repeat.input)]) continue;
                throw InputError(
                    fmt::format("the blocks of {} can only be more or fewer where all of them read and write "
                                "one width, not {} and {}",
                                repeat.name, channels_[index(repeat.input)], channels_[index(output)]));
            }
        }
        TensorId here = tensor_[index(repeat.input)];
        std::vector<int> made(index(repeat.count), 0);
        for (const int block : blocks) {
            const TensorId input = block == 0 ? repeat.input : outputs[index(block - 1)];
            tensor_[index(input)] = here;
            const int copy = made[index(block)]++;
            const int begin = static_cast<int>(result_.graph.nodes.size());
            if (copy > 0) result_.added.push_back({begin, begin + repeat.block_nodes});
            for (int i = 0; i < repeat.block_nodes; ++i)
                add({repeat.first_node + block * repeat.block_nodes + i, copy});
            here = tensor_[index(outputs[index(block)])];
        }
        tensor_[index(repeat.output)] = here;
    }

    void name_copies() {
        std::set<std::string> names;
        for (const Node& node : base_.nodes) names.insert(node.name);
        for (std::size_t i = 0; i < result_.origins.size(); ++i) {
            const int copy = result_.origins[i].copy;
            if (copy == 0) continue;
            std::string& name = result_.graph.nodes[i].name;
            std::string unique = fmt::format("{}.copy{}", name, copy);
            while (!names.insert(unique).second) unique += "_";
            name = unique;
        }
    }

    void count_blocks() {
        using Block = std::tuple<int, int, int>;    // the base's stage and block, and which copy of it
        std::map<int, std::pair<Block, int>> last;  // by stage
        for (std::size_t i = 0; i < result_.origins.size(); ++i) {
            Node& node = result_.graph.nodes[i];
            const Block block{node.stage, node.block, result_.origins[i].copy};
            const auto [known, is_new] = last.try_emplace(node.stage, block, node.block);
            if (!is_new && known->second.first != block) known->second = {block, known->second.second + 1};
            node.block = known->second.second;
        }
    }

    const Graph& base_;
    const std::vector<ChannelGroup>& groups_;
    const std::vector<Repeat>& repeats_;
    const GraphChoice& choice_;
    std::vector<TensorId> tensor_;  // of each tensor of the base, the one that has its place so far
    std::vector<int> channels_;     // of each tensor of the base, at the chosen widths
    std::map<int, int> moved_;      // of slices of the base, how much later they begin
    GroupedConvs grouped_convs_ = GroupedConvs::keep_width;
    ScaledGraph result_;
};

}  // namespace

GraphChoice choice_of(const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats) {
    GraphChoice choice;
    for (const ChannelGroup& group : groups) choice.widths.push_back(group.base_width);
    for (const Repeat& repeat : repeats) choice.depths.push_back(repeat.count);
    return choice;
}

std::vector<int> blocks_of(const Repeat& repeat, const GraphChoice& choice, std::size_t index) {
    const int depth = choice.depths[index];
    if (depth < 0) throw InputError(fmt::format("{} cannot have {} blocks", repeat.name, depth));
    if (!choice.blocks.empty() && choice.blocks.size() != choice.depths.size()) {
        throw InputError(fmt::format("blocks of {} repeats are given, the network has {}",
                                     choice.blocks.size(), choice.depths.size()));
    }
    if (choice.blocks.empty() || choice.blocks[index].empty()) {
        std::vector<int> blocks;
        for (int i = 0; i < depth; ++i) blocks.push_back(std::min(i, repeat.count - 1));
        return blocks;
    }
    const std::vector<int>& blocks = choice.blocks[index];
    const bool known = blocks.front() >= 0 && blocks.back() < repeat.count;
    if (known && static_cast<int>(blocks.size()) == depth && std::is_sorted(blocks.begin(), blocks.end()))
        return blocks;
    throw InputError(fmt::format(
        "{} blocks of {} are given for a depth of {}, expected as many, ascending, each from 0 to {}",
        blocks.size(), repeat.name, depth, repeat.count - 1));
}

GraphChoice keeping_blocks(const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats,
                           GraphChoice choice, std::vector<std::vector<int>> blocks) {
    // Of each group inside of a block, its nodes as counted from the block's first one: its twins in other blocks have the same.
    using Key = std::pair<BlockPlace, std::vector<int>>;
    std::map<Key, std::size_t> group_at;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const std::optional<BlockPlace> place = block_of_group(repeats, groups[g]);
        if (!place) continue;
        const Repeat& repeat = repeats[place->repeat];
        std::vector<int> nodes = groups[g].producers;
        nodes.insert(nodes.end(), groups[g].readers.begin(), groups[g].readers.end());
        for (int& node : nodes) node -= repeat.first_node + place->block * repeat.block_nodes;
        group_at.emplace(Key{*place, std::move(nodes)}, g);
    }
    std::vector<int> widths = choice.widths;
    for (const auto& [place, group] : group_at) {
        const auto& [own, nodes] = place;
        const std::vector<int>& kept = blocks[own.repeat];
        const auto at = std::find(kept.begin(), kept.end(), own.block);
        if (at == kept.end()) {
            widths[group] = groups[group].base_width;
            continue;
        }
        const auto twin = group_at.find(Key{{own.repeat, static_cast<int>(at - kept.begin())}, nodes});
        if (twin != group_at.end()) widths[group] = choice.widths[twin->second];
    }
    choice.widths = std::move(widths);
    choice.blocks = std::move(blocks);
    return choice;
}

std::vector<TensorId> block_outputs(const Graph& base, const Repeat& repeat) {
    const std::vector<int> last = last_readers(base);
    std::vector<TensorId> outputs;
    for (int block = 0; block < repeat.count; ++block) {
        const int begin = repeat.first_node + block * repeat.block_nodes;
        const int end = begin + repeat.block_nodes;
        TensorId found = outputs.empty() ? repeat.input : outputs.back();
        for (int n = begin; n < end; ++n) {
            const TensorId written = base.nodes[static_cast<std::size_t>(n)].outputs.front();
            if (last[static_cast<std::size_t>(written)] >= end) found = written;
        }
        outputs.push_back(found);
    }
    return outputs;
}

std::vector<bool> ties_its_ends(const Graph& base, const std::vector<ChannelGroup>& groups,
                                const std::vector<Repeat>& repeats) {
    using Part =
        std::tuple<std::size_t, int, int>;  // of a tensor: the group, its first channel and their number
    std::map<TensorId, std::vector<Part>> parts;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const ChannelSegment& segment : groups[g].segments) {
            parts[segment.tensor].emplace_back(g, segment.first, segment.channels);
        }
    }
    std::vector<bool> tied;
    for (const Repeat& repeat : repeats) {
        const std::vector<TensorId> outputs = block_outputs(base, repeat);
        tied.push_back(std::all_of(outputs.begin(), outputs.end(),
                                   [&](TensorId output) { return parts[output] == parts[repeat.input]; }));
    }
    return tied;
}

ScaledGraph scaled(const Graph& base, const std::vector<ChannelGroup>& groups,
                   const std::vector<Repeat>& repeats, const GraphChoice& choice) {
    return Scaling(base, groups, repeats, choice).run();
}

}  // namespace hacscale
