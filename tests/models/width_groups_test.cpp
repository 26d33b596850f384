#include "models/structure/structure.hpp"

#include <gmock/gmock.h>

#include <set>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

std::vector<std::string> names_of(const std::string& model) {
    std::vector<std::string> names;
    for (const WidthGroup& group : width_groups(find_model(model))) names.push_back(group.name);
    return names;
}

// The stem of CIFAR ResNets feeds the first residual edge; that of ResNet-18 as well, through a pool.
TEST(WidthGroups, AreTiedByResidualEdges) {
    const std::vector<std::string> names = names_of("resnet20-cifar");
    ASSERT_EQ(names.size(), 12u);  // three stages, nine blocks
    EXPECT_EQ(names[0], "stem.conv1 + stage1");
    EXPECT_EQ(names[1], "stage1.block1 inner");
    EXPECT_EQ(names[4], "stage2");
    const std::vector<std::string> bottlenecks = names_of("resnet50");
    ASSERT_EQ(bottlenecks.size(), 21u);  // the stem's own, four stages, sixteen blocks
    EXPECT_EQ(bottlenecks[0], "stem.conv1");
}

TEST(WidthGroups, AreTiedByDepthwiseConvsWithoutAnExpansion) {
    const std::vector<std::string> names = names_of("mobilenetv2-1.0");
    EXPECT_EQ(names[0], "stem.conv1 + stage1.block1 inner");
    EXPECT_EQ(names[1], "stage1");
    EXPECT_EQ(names.back(), "head.conv1");
}

TEST(WidthGroups, KnowWhatGroupedConvsNeed) {
    const ModelSpec base = find_model("regnetx-400mf");
    for (const WidthGroup& group : width_groups(base)) {
        const bool inner = group.name.ends_with("inner");
        EXPECT_EQ(group.multiple, inner ? base.stages[0].group_width : 1) << group.name;
    }
}

TEST(WidthGroups, TieToTheInputWhatCannotBeChosen) {
    ModelSpec model = find_model("resnet20-cifar");
    model.stem.clear();
    model.in_channels = model.stages[0].width;
    EXPECT_EQ(width_groups(model)[0].name, "stage1.block1 inner");
    model.head.clear();
    for (const WidthGroup& group : width_groups(model)) EXPECT_NE(group.name, "stage3");
}

// Groups of a model, and widths that are tied to another one. Channel groups are more where a stage's width sets several
// axes that no edge ties, as those of VGG's convs.
struct Expected {
    const char* model;
    std::size_t groups;
    std::size_t tied;
    std::size_t channel_groups;
};
constexpr Expected expected_groups[] = {
    {"efficientnet-b0", 24, 1, 24},
    {"efficientnet-b1", 30, 2, 30},
    {"efficientnet-b2", 30, 2, 30},
    {"efficientnet-b3", 33, 2, 33},
    {"efficientnet-b4", 39, 2, 39},
    {"efficientnetv2-s", 45, 3, 45},
    {"mobilenetv1-0.25", 6, 0, 14},
    {"mobilenetv1-0.5", 6, 0, 14},
    {"mobilenetv1-0.75", 6, 0, 14},
    {"mobilenetv1-1.0", 6, 0, 14},
    {"mobilenetv2-0.35", 25, 1, 25},
    {"mobilenetv2-0.35-cifar", 24, 2, 24},
    {"mobilenetv2-0.5", 25, 1, 25},
    {"mobilenetv2-0.5-cifar", 25, 1, 25},
    {"mobilenetv2-0.75", 25, 1, 25},
    {"mobilenetv2-0.75-cifar", 25, 1, 25},
    {"mobilenetv2-1.0", 25, 1, 25},
    {"mobilenetv2-1.0-cifar", 25, 1, 25},
    {"mobilenetv2-1.4", 25, 1, 25},
    {"mobilenetv2-1.4-cifar", 25, 1, 25},
    {"mobilenetv3-large-0.75", 22, 2, 22},
    {"mobilenetv3-large-1.0", 22, 2, 22},
    {"mobilenetv3-small-0.75", 18, 1, 18},
    {"mobilenetv3-small-1.0", 18, 1, 18},
    {"mobilenetv4-conv-small", 21, 6, 21},
    {"regnetx-200mf", 18, 0, 18},
    {"regnetx-400mf", 27, 0, 27},
    {"regnetx-800mf", 21, 0, 21},
    {"regnety-400mf", 21, 0, 21},
    {"resnet8-cifar", 6, 1, 6},
    {"resnet18", 12, 1, 12},
    {"resnet20-cifar", 12, 1, 12},
    {"resnet32-cifar", 18, 1, 18},
    {"resnet34", 20, 1, 20},
    {"resnet44-cifar", 24, 1, 24},
    {"resnet50", 21, 0, 37},
    {"resnet56-cifar", 30, 1, 30},
    {"resnet110-cifar", 57, 1, 57},
    {"vgg16", 7, 0, 15},
    {"vgg16-bn", 7, 0, 15},
    {"vgg16-bn-cifar", 7, 0, 15},
    {"wrn-16-4-cifar", 10, 0, 10},
    {"wrn-28-10-cifar", 16, 0, 16},
    {"wrn-40-2-cifar", 22, 0, 22},
};

// The numbers are those that the blocks' kinds say.
TEST(WidthGroups, AreAsManyAsEachModelOfTheZooHas) {
    std::set<std::string> listed;
    for (const Expected& model : expected_groups) {
        listed.insert(model.model);
        const ModelSpec base = find_model(model.model);
        const std::vector<WidthGroup> groups = width_groups(base);
        std::size_t tied = 0;
        for (const WidthGroup& group : groups) tied += group.parameters.size() - 1;
        EXPECT_EQ(groups.size(), model.groups) << model.model;
        EXPECT_EQ(tied, model.tied) << model.model;
        EXPECT_EQ(channel_groups(lower(base)).size(), model.channel_groups) << model.model;
    }
    EXPECT_THAT(zoo_names(), ::testing::UnorderedElementsAreArray(listed));
}

// Every layer's output has the width of exactly one group, or is given; a wider group makes a valid network of the same
// layers, and only its own layers put out other channels. Those are whole channel groups.
TEST(WidthGroups, CoverEachNetworkOfTheZooOnce) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        const Graph graph = lower(base);
        const std::vector<ChannelGroup> channels = channel_groups(graph);
        std::vector<int> owners(graph.nodes.size(), 0);
        std::vector<int> owners_of_channels(channels.size(), 0);
        for (const WidthGroup& group : width_groups(base)) {
            const int width = 11 * group.base_width;  // no other width, so that none meets it
            EXPECT_EQ(widened(base, group, group.base_width), base) << name << ", " << group.name;
            const Graph wider = lower(widened(base, group, width));
            ASSERT_EQ(wider.nodes.size(), graph.nodes.size()) << name << ", " << group.name;
            std::set<int> changed;
            for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
                const auto n = static_cast<std::size_t>(i);
                ASSERT_EQ(wider.nodes[n].name, graph.nodes[n].name) << name << ", " << group.name;
                if (wider.nodes[n].layer.out_channels == graph.nodes[n].layer.out_channels) continue;
                EXPECT_EQ(wider.nodes[n].layer.out_channels, width);
                EXPECT_EQ(graph.nodes[n].layer.out_channels, group.base_width);
                ++owners[n];
                changed.insert(i);
            }
            std::set<int> producers;
            for (std::size_t c = 0; c < channels.size(); ++c) {
                if (!changed.contains(channels[c].producers.front())) continue;
                ++owners_of_channels[c];
                EXPECT_EQ(channels[c].base_width, group.base_width);
                EXPECT_EQ(group.multiple % channels[c].multiple, 0);
                producers.insert(channels[c].producers.begin(), channels[c].producers.end());
            }
            EXPECT_EQ(producers, changed) << name << ", " << group.name;
        }
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            EXPECT_EQ(owners[i], i + 1 == graph.nodes.size() ? 0 : 1) << name << ", " << graph.nodes[i].name;
        }
        EXPECT_THAT(owners_of_channels, ::testing::Each(1)) << name;
    }
}

}  // namespace
}  // namespace hacscale
