#include "models/structure/width_groups.hpp"

#include <gmock/gmock.h>

#include <set>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;

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

// Every layer's output has the width of exactly one group, or is given; a wider group makes a valid network
// of the same layers, and only its own layers put out other channels.
TEST(WidthGroups, CoverEachNetworkOfTheZooOnce) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        const Graph network = lower(base);
        std::vector<int> owners(network.nodes.size(), 0);
        for (const WidthGroup& group : width_groups(base)) {
            const int width = 11 * group.base_width;  // no other width, so that none meets it
            EXPECT_EQ(widened(base, group, group.base_width), base) << name << ", " << group.name;
            const Graph wider = lower(widened(base, group, width));
            ASSERT_EQ(wider.nodes.size(), network.nodes.size()) << name << ", " << group.name;
            for (std::size_t i = 0; i < network.nodes.size(); ++i) {
                ASSERT_EQ(wider.nodes[i].name, network.nodes[i].name) << name << ", " << group.name;
                if (wider.nodes[i].layer.out_channels == network.nodes[i].layer.out_channels) continue;
                EXPECT_EQ(wider.nodes[i].layer.out_channels, width);
                EXPECT_EQ(network.nodes[i].layer.out_channels, group.base_width);
                ++owners[i];
            }
        }
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            EXPECT_EQ(owners[i], i + 1 == network.nodes.size() ? 0 : 1)
                << name << ", " << network.nodes[i].name;
        }
    }
}

}  // namespace
}  // namespace hacscale
