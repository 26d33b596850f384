#include "models/structure/structure.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LayerSpec layer_on(const Graph& graph, TensorId input, LayerKind kind) {
    const Tensor& read = graph.tensors[static_cast<std::size_t>(input)];
    LayerSpec layer;
    layer.kind = kind;
    layer.in_channels = layer.out_channels = read.channels;
    layer.in_height = read.height;
    layer.in_width = read.width;
    return layer;
}

TensorId append(Graph& graph, const std::string& name, const LayerSpec& layer, TensorIds inputs) {
    Node node;
    node.name = name;
    node.layer = layer;
    node.inputs = inputs;
    return graph.add_node(node);
}

TensorId conv(Graph& graph, const std::string& name, TensorId input, int width, int groups = 1) {
    LayerSpec layer = layer_on(graph, input, LayerKind::conv);
    layer.out_channels = width;
    layer.groups = groups;
    return append(graph, name, layer, {input});
}

TensorId conv_plus(Graph& graph, const std::string& name, TensorId input, TensorId added) {
    LayerSpec layer = layer_on(graph, input, LayerKind::conv);
    layer.out_channels = graph.tensors[static_cast<std::size_t>(added)].channels;
    layer.residual = true;
    return append(graph, name, layer, {input, added});
}

TEST(ChannelGroups, AreTiedByResidualAddsAndLayersThatKeepChannels) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    graph.inputs = {image};
    const TensorId stem = conv(graph, "stem", image, 16);
    const TensorId wide = conv(graph, "expand", stem, 48);
    const TensorId filtered = conv(graph, "depthwise", wide, 48, 48);
    const TensorId block = conv_plus(graph, "project", filtered, stem);
    const TensorId logits = conv(graph, "head", block, 10);
    graph.outputs = {logits};

    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0].name, "stem");
    EXPECT_EQ(groups[0].base_width, 16);
    EXPECT_THAT(groups[0].tensors, ElementsAre(stem, block));
    EXPECT_THAT(groups[0].producers, ElementsAre(0, 3));
    EXPECT_THAT(groups[0].readers, ElementsAre(1, 3, 4));
    EXPECT_EQ(groups[1].name, "expand");
    EXPECT_THAT(groups[1].producers, ElementsAre(1, 2));
    EXPECT_THAT(groups[1].readers, ElementsAre(2, 3));
}

TEST(ChannelGroups, GrowByWholeGroupsOfAGroupedConv) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    graph.inputs = {image};
    const TensorId stem = conv(graph, "stem", image, 24);
    const TensorId grouped = conv(graph, "grouped", stem, 48, 3);
    graph.outputs = {conv(graph, "head", grouped, 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_THAT(groups[0].tensors, ElementsAre(stem, grouped));
    EXPECT_EQ(groups[0].base_width, 24);
    EXPECT_EQ(groups[0].multiple, 8);
}

TEST(ChannelGroups, LeaveOutWhatInputsAndOutputsFix) {
    Graph graph;
    const TensorId image = graph.add_input(8, 8, 8);
    graph.inputs = {image};
    const TensorId block = conv_plus(graph, "block", image, image);
    const TensorId inner = conv(graph, "inner", block, 32);
    graph.outputs = {conv_plus(graph, "out", inner, block)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_EQ(groups[0].name, "inner");

    // A second output in the middle fixes its width as well.
    graph.outputs.push_back(inner);
    EXPECT_THAT(channel_groups(graph), IsEmpty());
}

TEST(ChannelGroups, LeaveOutWhatLayersThatMoveChannelsReadAndWrite) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId left = conv(graph, "left", image, 16);
    const TensorId right = conv(graph, "right", image, 8);
    LayerSpec both = layer_on(graph, left, LayerKind::concat);
    both.inputs = 2;
    both.in_channels = both.out_channels = 24;
    const TensorId joined = append(graph, "concat", both, {left, right});
    const TensorId inner = conv(graph, "inner", joined, 32);
    // Tied to what the concat reads, so it is fixed as well.
    const TensorId sum = conv_plus(graph, "sum", inner, left);
    graph.outputs = {conv(graph, "head", sum, 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_EQ(groups.size(), 1u);
    EXPECT_EQ(groups[0].name, "inner");
}

// ---- Any graph ----

// One resolution, so that tensors of equal width can be added.
class RandomGraph {
public:
    explicit RandomGraph(unsigned seed) : random_(seed) {
        graph.inputs = {graph.add_input(12, 4, 4)};
        const int nodes = 4 + below(16);
        for (int i = 0; i < nodes; ++i) add("node" + std::to_string(i));
        const auto last = static_cast<TensorId>(graph.tensors.size()) - 1;
        graph.outputs = {last};
        if (below(4) == 0 && last > 2) graph.outputs.push_back(1 + below(last - 1));
    }

    Graph graph;

private:
    int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

    void add(const std::string& name) {
        const int tensors = static_cast<int>(graph.tensors.size());
        const TensorId input = below(2) == 0 ? tensors - 1 : below(tensors);
        const int channels = graph.tensors[static_cast<std::size_t>(input)].channels;
        switch (below(9)) {
            case 0:
                append(graph, name, layer_on(graph, input, LayerKind::scale_shift), {input});
                return;
            case 1: {
                LayerSpec layer = layer_on(graph, input, LayerKind::squeeze_excite);
                layer.squeeze_channels = 4;
                layer.gate = Activation::sigmoid;
                append(graph, name, layer, {input});
                return;
            }
            case 2:
                conv(graph, name, input, channels, channels);
                return;
            case 3:
                conv(graph, name, input, channels * (1 + below(2)), channels / (1 << below(2)));
                return;
            case 4:
            case 5: {
                const TensorId added = below(tensors);
                conv_plus(graph, name, input, added);
                return;
            }
            case 6: {
                LayerSpec layer = layer_on(graph, input, LayerKind::add);
                layer.inputs = 2;
                append(graph, name, layer, {input, same_width(input)});
                return;
            }
            case 7:
                move_channels(name, input, below(tensors));
                return;
            default:
                conv(graph, name, input, 12 << below(2));
        }
    }

    // A tensor with as many channels; it may be the same one.
    TensorId same_width(TensorId tensor) {
        TensorId other = below(static_cast<int>(graph.tensors.size()));
        const auto channels = [&](TensorId id) {
            return graph.tensors[static_cast<std::size_t>(id)].channels;
        };
        while (channels(other) != channels(tensor))
            other = (other + 1) % static_cast<int>(graph.tensors.size());
        return other;
    }

    // Two tensors side by side, then 12 channels from the middle.
    void move_channels(const std::string& name, TensorId first, TensorId second) {
        LayerSpec concat = layer_on(graph, first, LayerKind::concat);
        concat.inputs = 2;
        concat.in_channels += graph.tensors[static_cast<std::size_t>(second)].channels;
        concat.out_channels = concat.in_channels;
        const TensorId both = append(graph, name, concat, {first, second});
        LayerSpec slice = layer_on(graph, both, LayerKind::slice);
        slice.out_channels = 12;
        slice.first_channel = (concat.in_channels - 12) / 2;
        append(graph, name + "_slice", slice, {both});
    }

    std::mt19937 random_;
};

// The channels of each tensor in units that cannot be divided, and tensors whose units are tied, by going over all layers
// until nothing changes.
class Closure {
public:
    explicit Closure(const Graph& graph) : label_(graph.tensors.size()) {
        for (std::size_t i = 0; i < label_.size(); ++i) label_[i] = static_cast<int>(i);
        for (bool changed = true; changed;) {
            changed = false;
            for (const Node& node : graph.nodes) {
                const LayerSpec& layer = node.layer;
                const bool reads_all =
                    layer.kind == LayerKind::linear || (layer.kind == LayerKind::conv && layer.groups == 1);
                for (const TensorId input : node.inputs) {
                    const bool added = layer.residual && input == node.residual_input();
                    if (added || (!reads_all && !moves_channels(layer)))
                        changed |= tie(input, node.outputs[0]);
                }
            }
        }
    }

    std::set<std::set<TensorId>> free_sets(const Graph& graph) const {
        std::map<int, std::set<TensorId>> sets;
        for (std::size_t i = 0; i < label_.size(); ++i) sets[label_[i]].insert(static_cast<TensorId>(i));
        const auto fix = [&](const auto& tensors) {
            for (const TensorId tensor : tensors) sets.erase(label_[static_cast<std::size_t>(tensor)]);
        };
        fix(graph.inputs);
        fix(graph.outputs);
        for (const Node& node : graph.nodes) {
            if (!moves_channels(node.layer)) continue;
            fix(node.inputs);
            fix(node.outputs);
        }
        std::set<std::set<TensorId>> free;
        for (const auto& [label, tensors] : sets) free.insert(tensors);
        return free;
    }

private:
    static bool moves_channels(const LayerSpec& layer) {
        return layer.kind == LayerKind::concat || layer.kind == LayerKind::slice;
    }

    bool tie(TensorId a, TensorId b) {
        int& x = label_[static_cast<std::size_t>(a)];
        int& y = label_[static_cast<std::size_t>(b)];
        if (x == y) return false;
        x = y = std::min(x, y);
        return true;
    }

    std::vector<int> label_;
};

TEST(ChannelGroups, AreTheClosureOfAllTies) {
    int tied = 0;
    for (unsigned seed = 0; seed < 1000; ++seed) {
        const Graph graph = RandomGraph(seed).graph;
        ASSERT_EQ(validate(graph), std::nullopt) << seed;
        std::set<std::set<TensorId>> found;
        for (const ChannelGroup& group : channel_groups(graph)) {
            found.emplace(group.tensors.begin(), group.tensors.end());
            tied += group.tensors.size() > 1 ? 1 : 0;
            ASSERT_EQ(group.base_width % group.multiple, 0) << seed;
            for (const int width :
                 {group.multiple, group.base_width + group.multiple, 3 * group.base_width}) {
                const Graph changed = widened(graph, group, width);
                EXPECT_EQ(validate(changed), std::nullopt) << seed << ", " << group.name << " at " << width;
                EXPECT_EQ(changed.tensors[static_cast<std::size_t>(group.tensors.front())].channels, width);
            }
            EXPECT_EQ(widened(graph, group, group.base_width).nodes.front().layer, graph.nodes.front().layer);
        }
        EXPECT_EQ(found, Closure(graph).free_sets(graph)) << seed;
    }
    EXPECT_GT(tied, 200);
}

// A model's width sets the same layers as the channel groups that it is made of.
TEST(ChannelGroups, WidenAsModelsOfTheZooDo) {
    int compared = 0;
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        const Graph graph = lower(base);
        const std::vector<ChannelGroup> groups = channel_groups(graph);
        for (const WidthGroup& width : width_groups(base)) {
            const Graph wanted = lower(widened(base, width, width.base_width + std::lcm(8, width.multiple)));
            const bool same_edges =
                std::equal(wanted.nodes.begin(), wanted.nodes.end(), graph.nodes.begin(), graph.nodes.end(),
                           [](const Node& a, const Node& b) {
                               return a.name == b.name && a.inputs.size() == b.inputs.size();
                           });
            if (!same_edges) continue;  // where two widths meet or part, a residual add comes or goes
            Graph changed = graph;
            for (const ChannelGroup& group : groups) {
                const auto first = static_cast<std::size_t>(group.tensors.front());
                if (wanted.tensors[first].channels != group.base_width) {
                    changed = widened(changed, group, wanted.tensors[first].channels);
                }
            }
            for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
                LayerSpec layer = changed.nodes[i].layer;
                // Of a model they are a share of other channels.
                layer.squeeze_channels = wanted.nodes[i].layer.squeeze_channels;
                EXPECT_EQ(layer.key(), wanted.nodes[i].layer.key()) << name << ", " << width.name;
            }
            ++compared;
        }
    }
    EXPECT_GT(compared, 300);
}

TEST(ChannelGroups, RefuseWidthsThatNoLayerHas) {
    const Graph graph = lower(find_model("regnetx-200mf"));
    for (const ChannelGroup& group : channel_groups(graph)) {
        for (const int width : {0, -8, max_layer_size + group.multiple}) {
            EXPECT_THROW(widened(graph, group, width), InputError) << group.name;
        }
        if (group.multiple > 1) {
            EXPECT_THROW(widened(graph, group, group.base_width + 1), InputError);
        }
    }
}

}  // namespace
}  // namespace hacscale
