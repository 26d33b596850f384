#include "models/structure/structure.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <random>
#include <set>

#include "base/error.hpp"
#include "models/ops/operator.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/random_graph.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using testing::append;
using testing::concat;
using testing::conv;
using testing::conv_plus;
using testing::layer_on;
using testing::RandomGraph;
using testing::shuffle;
using testing::slice;

std::vector<std::string> names_of(const std::vector<ChannelGroup>& groups) {
    std::vector<std::string> names;
    for (const ChannelGroup& group : groups) names.push_back(group.name);
    return names;
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

TEST(ChannelGroups, LieSideBySideBehindAConcat) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId left = conv(graph, "left", image, 16);
    const TensorId right = conv(graph, "right", image, 8);
    const TensorId both = concat(graph, "concat", {left, right});
    const TensorId filtered = conv(graph, "depthwise", both, 24, 24);
    const TensorId inner = conv(graph, "inner", filtered, 32);
    const TensorId sum = conv_plus(graph, "sum", inner, left);
    graph.outputs = {conv(graph, "head", sum, 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_THAT(names_of(groups), ElementsAre("left", "right", "inner"));
    EXPECT_THAT(groups[0].segments, ElementsAre(ChannelSegment{left, 0, 16}, ChannelSegment{both, 0, 16},
                                                ChannelSegment{filtered, 0, 16}, ChannelSegment{sum, 0, 16}));
    EXPECT_THAT(groups[1].segments, ElementsAre(ChannelSegment{right, 0, 8}, ChannelSegment{both, 16, 8},
                                                ChannelSegment{filtered, 16, 8}));
    const Graph wider = widened(widened(graph, groups[0], 20), groups[1], 5);
    EXPECT_EQ(validate(wider), std::nullopt);
    EXPECT_EQ(wider.nodes[2].layer.in_channels, 25);
    EXPECT_EQ(wider.nodes[3].layer.groups, 25);
}

// A network of the kind of CSP: half of the channels go another way, and meet the others again.
TEST(ChannelGroups, AreWhatSlicesTake) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId both = conv(graph, "both", image, 24);
    const TensorId left = slice(graph, "left", both, 0, 16);
    const TensorId right = slice(graph, "right", both, 16, 8);
    const TensorId block = conv_plus(graph, "block", right, right);
    graph.outputs = {conv(graph, "head", concat(graph, "concat", {left, right, block}), 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_THAT(names_of(groups), ElementsAre("both", "both#2"));
    EXPECT_EQ(groups[0].base_width, 16);
    EXPECT_EQ(groups[1].base_width, 8);
    EXPECT_THAT(groups[1].channels, ElementsAre(8, 8, 8, 16));
    const Graph changed = widened(widened(graph, groups[1], 12), groups[0], 7);
    EXPECT_EQ(validate(changed), std::nullopt);
    EXPECT_EQ(changed.nodes[0].layer.out_channels, 19);
    EXPECT_EQ(changed.nodes[1].layer.out_channels, 7);
    EXPECT_EQ(changed.nodes[2].layer.first_channel, 7);
    EXPECT_EQ(changed.nodes[2].layer.out_channels, 12);
    EXPECT_EQ(changed.nodes[4].layer.in_channels, 31);
}

TEST(ChannelGroups, OfEqualSlicesStayEqualWhereAsked) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId both = conv(graph, "both", image, 24);
    const TensorId left = slice(graph, "left", both, 0, 12);
    const TensorId right = slice(graph, "right", both, 12, 12);
    const TensorId block = conv(graph, "block", right, 8);
    graph.outputs = {conv(graph, "head", concat(graph, "concat", {left, block}), 10)};
    EXPECT_THAT(names_of(channel_groups(graph)), ElementsAre("both", "both#2", "block"));
    const std::vector<ChannelGroup> groups = channel_groups(graph, {.equal_slices = true});
    ASSERT_THAT(names_of(groups), ElementsAre("both", "block"));
    EXPECT_EQ(groups[0].base_width, 24);
    EXPECT_EQ(groups[0].multiple, 2);
    const Graph wider = widened(graph, groups[0], 30);
    EXPECT_EQ(validate(wider), std::nullopt);
    EXPECT_EQ(wider.nodes[1].layer.out_channels, 15);
    EXPECT_EQ(wider.nodes[2].layer.first_channel, 15);
    EXPECT_EQ(wider.nodes[2].layer.out_channels, 15);
}

// A unit has one channel of each part that a shuffle mixes, so the parts stay equal.
TEST(ChannelGroups, HaveUnitsAcrossTheGroupsOfAShuffle) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId left = conv(graph, "left", image, 12);
    const TensorId right = conv(graph, "right", image, 12);
    const TensorId mixed = shuffle(graph, "shuffle", concat(graph, "concat", {left, right}), 2);
    const TensorId half = slice(graph, "half", mixed, 0, 12);
    graph.outputs = {conv(graph, "head", mixed, 10), conv(graph, "second", half, 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_THAT(names_of(groups), ElementsAre("left", "left#2"));
    EXPECT_EQ(groups[0].base_width, 6);
    EXPECT_EQ(groups[0].multiple, 1);
    EXPECT_THAT(groups[0].channels, ElementsAre(6, 6, 12, 12, 12));
    EXPECT_THAT(groups[1].channels, ElementsAre(6, 6, 12, 12));
    EXPECT_EQ(widened(graph, groups[0], 8).nodes[4].layer.out_channels, 16);
    // The slice would part channels of one unit, which stay where they are then.
    graph.nodes[4].layer.out_channels = 11;
    graph.tensors[static_cast<std::size_t>(half)].channels = 11;
    graph.nodes[6].layer.in_channels = 11;
    ASSERT_EQ(validate(graph), std::nullopt);
    const std::vector<ChannelGroup> rest = channel_groups(graph);
    ASSERT_EQ(rest.size(), 2u);
    EXPECT_EQ(rest[0].base_width, 5);
    EXPECT_EQ(rest[1].base_width, 6);
}

TEST(ChannelGroups, OfGroupedConvsKeepTheirNumberWhereAsked) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId stem = conv(graph, "stem", image, 24);
    const TensorId grouped = conv(graph, "grouped", stem, 48, 3);
    graph.outputs = {conv(graph, "head", conv(graph, "depthwise", grouped, 48, 48), 10)};
    const std::vector<ChannelGroup> groups =
        channel_groups(graph, {.grouped_convs = GroupedConvs::keep_count});
    ASSERT_THAT(names_of(groups), ElementsAre("stem", "grouped"));
    EXPECT_EQ(groups[0].base_width, 24);
    EXPECT_EQ(groups[0].multiple, 3);
    EXPECT_EQ(groups[1].base_width, 48);
    EXPECT_EQ(groups[1].multiple, 3);
    const Graph wider = widened(widened(graph, groups[0], 30), groups[1], 21);
    EXPECT_EQ(validate(wider), std::nullopt);
    EXPECT_EQ(wider.nodes[1].layer.groups, 3);
    EXPECT_EQ(wider.nodes[1].layer.in_channels, 30);
    EXPECT_EQ(wider.nodes[2].layer.groups, 21);
}

TEST(ChannelGroups, LeaveOutWhatBecomesPixels) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId stem = conv(graph, "stem", image, 16);
    LayerSpec layer = layer_on(graph, stem, LayerKind::pixel_shuffle);
    layer.window.strides = {2, 2};
    layer.mode = Mode::channels_first;
    layer.out_channels = 4;
    const TensorId pixels = append(graph, "pixel_shuffle", layer, {stem});
    graph.outputs = {conv(graph, "head", conv(graph, "inner", pixels, 8), 10)};
    EXPECT_THAT(names_of(channel_groups(graph)), ElementsAre("inner"));
}

// One number a pixel belongs to no channel; the maps that it is multiplied with are free.
TEST(ChannelGroups, AreNotTiedByNumbersOfPixels) {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId stem = conv(graph, "stem", image, 16);
    LayerSpec layer = layer_on(graph, stem, LayerKind::multiply);
    layer.inputs = 2;
    layer.mode = Mode::per_pixel;
    const TensorId weighted = append(graph, "multiply", layer, {stem, conv(graph, "mask", stem, 1)});
    graph.outputs = {conv(graph, "head", weighted, 10)};
    const std::vector<ChannelGroup> groups = channel_groups(graph);
    ASSERT_THAT(names_of(groups), ElementsAre("stem"));
    EXPECT_EQ(validate(widened(graph, groups[0], 24)), std::nullopt);
}

// One head on maps of several sizes: its module has one width of inputs and one of outputs.
TEST(ChannelGroups, AreTiedByAModuleThatRunsSeveralTimes) {
    for (const std::string second : {"head.conv#2", "head.other"}) {
        Graph graph;
        const TensorId image = graph.add_input(3, 8, 8);
        const TensorId left = conv(graph, "left", image, 8);
        const TensorId right = conv(graph, "right", image, 8);
        const TensorId first = conv(graph, "head.conv", left, 12);
        graph.outputs = {conv(graph, "out1", first, 2),
                         conv(graph, "out2", conv(graph, second, right, 12), 2)};
        EXPECT_EQ(channel_groups(graph).size(), second == "head.conv#2" ? 2U : 4U);
    }
}

// ---- Any graph ----

// What each channel of a scaled graph is: the base's unit, and the place within it, by the base's and the scaled positions of
// segments. Given channels keep their place.
using Label = std::array<int, 2>;  // group and unit; -1 and the channel of a given one
std::vector<std::vector<Label>> labels_of(const Graph& graph, const std::vector<ChannelGroup>& groups,
                                          const std::vector<int>& widths) {
    struct Segment {
        ChannelSegment at;
        int group;
    };
    std::vector<std::vector<Segment>> segments(graph.tensors.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const ChannelSegment& segment : groups[g].segments) {
            segments[static_cast<std::size_t>(segment.tensor)].push_back({segment, static_cast<int>(g)});
        }
    }
    std::vector<std::vector<Label>> labels;
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
        std::sort(segments[t].begin(), segments[t].end(),
                  [](const Segment& a, const Segment& b) { return a.at.first < b.at.first; });
        std::vector<Label>& list = labels.emplace_back();
        int channel = 0;
        const auto give_until = [&](int end) {
            for (; channel < end; ++channel) list.push_back({-1, channel});
        };
        for (const Segment& segment : segments[t]) {
            give_until(segment.at.first);
            const ChannelGroup& group = groups[static_cast<std::size_t>(segment.group)];
            const int each = segment.at.channels / group.units();
            const int units = widths[static_cast<std::size_t>(segment.group)] / group.multiple;
            for (int u = 0; u < units; ++u) {
                for (int i = 0; i < each; ++i) list.push_back({segment.group, u});
            }
            channel += segment.at.channels;
        }
        give_until(graph.tensors[t].channels);
    }
    return labels;
}

// Whether layers that keep channels apart or move them read and write the same units, in a graph of any widths.
void expect_same_units(const Graph& graph, const std::vector<std::vector<Label>>& labels,
                       const std::string& where) {
    const auto unit = [](const Label& label) { return std::pair(label[0], label[0] < 0 ? 0 : label[1]); };
    for (const Node& node : graph.nodes) {
        const LayerSpec& layer = node.layer;
        const Operator& op = operator_of(layer.kind);
        const auto& output = labels[static_cast<std::size_t>(node.outputs.front())];
        ASSERT_EQ(static_cast<int>(output.size()), layer.out_channels) << where << ", " << node.name;
        std::vector<Label> joined;
        for (std::size_t i = 0; i < layer.inputs; ++i) {
            const auto& input = labels[static_cast<std::size_t>(node.inputs[i])];
            if (op.channel_tie(layer) == ChannelTie::one_to_one) {
                for (std::size_t c = 0; c < output.size(); ++c)
                    ASSERT_EQ(unit(input[c]), unit(output[c])) << where << node.name;
            }
            joined.insert(joined.end(), input.begin(), input.end());
        }
        if (layer.residual) {
            const auto& added = labels[static_cast<std::size_t>(node.residual_input())];
            for (std::size_t c = 0; c < output.size(); ++c)
                ASSERT_EQ(unit(added[c]), unit(output[c])) << where << node.name;
        }
        if (op.channel_tie(layer) == ChannelTie::moved) {
            for (int c = 0; c < layer.out_channels; ++c) {
                ASSERT_EQ(unit(joined[static_cast<std::size_t>(op.source_channel(layer, c))]),
                          unit(output[static_cast<std::size_t>(c)]))
                    << where << ", " << node.name << ", channel " << c;
            }
        }
        if (op.channel_tie(layer) == ChannelTie::grouped) {
            for (int c = 0; c < layer.out_channels; ++c) {
                const int group = c / (layer.out_channels / layer.groups);
                ASSERT_EQ(unit(joined[static_cast<std::size_t>(group * (layer.in_channels / layer.groups))]),
                          unit(output[static_cast<std::size_t>(c)]))
                    << where << ", " << node.name << ", channel " << c;
            }
        }
    }
}

TEST(ChannelGroups, OfAnyGraphKeepEachUnitTogetherAtAnyWidths) {
    int several = 0;
    int sliced = 0;
    for (unsigned seed = 0; seed < 600; ++seed) {
        const Graph graph = RandomGraph(seed).graph;
        ASSERT_EQ(validate(graph), std::nullopt) << seed;
        const std::vector<ChannelGroup> groups = channel_groups(graph);
        std::mt19937 random(seed);
        std::vector<int> widths;
        Graph changed = graph;
        for (const ChannelGroup& group : groups) {
            several += group.tensors.size() > 1 ? 1 : 0;
            sliced += static_cast<int>(group.slices.size());
            ASSERT_EQ(group.base_width % group.multiple, 0) << seed;
            widths.push_back(group.multiple * (1 + static_cast<int>(random() % (2U * group.units()))));
            changed = widened(changed, group, widths.back());
        }
        EXPECT_EQ(validate(changed), std::nullopt) << seed;
        expect_same_units(changed, labels_of(graph, groups, widths), std::to_string(seed));
        if (HasFatalFailure()) return;
        for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
            const auto output = static_cast<std::size_t>(graph.outputs[i]);
            EXPECT_EQ(changed.tensors[output].channels, graph.tensors[output].channels);
        }
    }
    EXPECT_GT(several, 200);
    EXPECT_GT(sliced, 50);
}

// Where the units are: each channel is in one group or given, and no group could be larger.
TEST(ChannelGroups, OfAnyGraphHoldChannelsOnceAndAreDistinct) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        const Graph graph = RandomGraph(seed).graph;
        std::set<std::pair<TensorId, int>> seen;
        std::set<std::string> names;
        for (const GroupedConvs grouped : {GroupedConvs::keep_width, GroupedConvs::keep_count}) {
            seen.clear();
            names.clear();
            for (const ChannelGroup& group : channel_groups(graph, {.grouped_convs = grouped})) {
                EXPECT_TRUE(names.insert(group.name).second) << seed << ", " << group.name;
                for (const ChannelSegment& segment : group.segments) {
                    EXPECT_EQ(segment.channels % group.units(), 0) << seed << ", " << group.name;
                    for (int c = 0; c < segment.channels; ++c) {
                        EXPECT_TRUE(seen.emplace(segment.tensor, segment.first + c).second) << seed;
                    }
                }
                const Graph changed = widened(graph, group, 2 * group.base_width);
                EXPECT_EQ(validate(changed), std::nullopt) << seed << ", " << group.name;
            }
            for (const auto& fixed : {graph.inputs, graph.outputs}) {
                for (const TensorId tensor : fixed) EXPECT_FALSE(seen.contains({tensor, 0})) << seed;
            }
        }
    }
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
