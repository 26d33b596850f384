#include "models/structure/structure.hpp"

#include <gmock/gmock.h>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;

// Of the stages: two linear layers of a head may repeat as well.
std::vector<int> counts_of(const ModelSpec& model) {
    const Graph graph = lower(model);
    std::vector<int> counts;
    for (const Repeat& repeat : repeats(graph)) {
        const int stage = graph.nodes[static_cast<std::size_t>(repeat.first_node)].stage;
        if (stage < static_cast<int>(model.stages.size())) counts.push_back(repeat.count);
    }
    return counts;
}

// What the stages say: blocks with one shape at both ends that are equal to the one before. Without a residual add, one
// block alone is not counted.
std::vector<int> counts_by_stages(const ModelSpec& model) {
    std::vector<int> counts;
    for (std::size_t s = 0; s < model.stages.size(); ++s) {
        const StageSpec& stage = model.stages[s];
        const bool residual = stage.block != BlockKind::conv && stage.block != BlockKind::separable;
        const bool keeps_shape =
            stage.stride == 1 && stage_input_width(model, static_cast<int>(s)) == stage.width;
        std::vector<int> of_stage;
        int before = -1;  // the inner width of the block before
        for (int block = keeps_shape ? 0 : 1; block < stage.depth; ++block) {
            const int inner =
                stage.inner_widths.empty() ? 0 : stage.inner_widths[static_cast<std::size_t>(block)];
            if (inner == before) {
                ++of_stage.back();
            } else {
                of_stage.push_back(1);
            }
            before = inner;
        }
        for (const int count : of_stage) {
            if (residual || count > 1) counts.push_back(count);
        }
    }
    return counts;
}

TEST(Repeats, AreTheDepthsOfTypicalNetworks) {
    EXPECT_THAT(counts_of(find_model("resnet20-cifar")), ElementsAre(3, 2, 2));
    EXPECT_THAT(counts_of(find_model("resnet50")), ElementsAre(2, 3, 5, 2));
    EXPECT_THAT(counts_of(find_model("mobilenetv2-1.0")), ElementsAre(1, 2, 3, 2, 2));
    EXPECT_THAT(counts_of(find_model("mobilenetv1-1.0")), ElementsAre(5));
    EXPECT_THAT(counts_of(find_model("vgg16-bn")), ElementsAre(2, 2, 3));
    EXPECT_THAT(counts_of(find_model("resnet8-cifar")), ElementsAre(1));
}

TEST(Repeats, AreThoseOfTheStagesOfEachModelOfTheZoo) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec model = find_model(name);
        EXPECT_EQ(counts_of(model), counts_by_stages(model)) << name;
    }
}

// A block fits behind itself: one more of them is the network of a stage with one more block.
TEST(Repeats, SayWhichNodesABlockHas) {
    const ModelSpec model = find_model("resnet20-cifar");
    const Graph graph = lower(model);
    const std::vector<Repeat> found = repeats(graph);
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[1].name, "stage2.block2.conv1");
    EXPECT_EQ(found[1].block_nodes, 2);
    for (const Repeat& repeat : found) {
        for (int i = 0; i < repeat.block_nodes * (repeat.count - 1); ++i) {
            const auto at = static_cast<std::size_t>(repeat.first_node + i);
            EXPECT_EQ(graph.nodes[at].layer,
                      graph.nodes[at + static_cast<std::size_t>(repeat.block_nodes)].layer);
        }
    }
}

// Two convs of one shape behind each other would repeat; read by a later layer as well, they cannot be left out.
TEST(Repeats, EndWhereAnEdgeGoesPastThem) {
    Graph graph;
    const TensorId image = graph.add_input(8, 8, 8);
    graph.inputs = {image};
    Node node;
    node.layer.in_channels = node.layer.out_channels = 8;
    node.layer.in_height = node.layer.in_width = 8;
    TensorId here = image;
    std::vector<TensorId> made;
    for (int i = 0; i < 4; ++i) {
        node.name = "conv" + std::to_string(i);
        node.inputs = {here};
        made.push_back(here = graph.add_node(node));
    }
    graph.outputs = {here};
    ASSERT_EQ(repeats(graph).size(), 1u);
    EXPECT_EQ(repeats(graph)[0].count, 4);

    node.layer.residual = true;
    node.inputs = {here, made[1]};
    graph.outputs = {graph.add_node(node)};
    const std::vector<Repeat> shorter = repeats(graph);
    ASSERT_EQ(shorter.size(), 2u);
    EXPECT_EQ(shorter[0].count, 2);
    EXPECT_EQ(shorter[0].block_nodes, 1);
    EXPECT_EQ(shorter[1].name, "conv2");  // with the add: a block of three layers
    EXPECT_EQ(shorter[1].block_nodes, 3);
}

// Branches may run in either order.
TEST(Repeats, CompareEdgesAndNotTheOrderOfRunning) {
    Graph graph;
    TensorId here = graph.add_input(8, 8, 8);
    graph.inputs = {here};
    for (const bool shortcut_first : {true, false}) {
        Node shortcut;
        shortcut.layer.in_channels = shortcut.layer.out_channels = 8;
        shortcut.layer.in_height = shortcut.layer.in_width = 8;
        shortcut.inputs = {here};
        Node conv = shortcut;
        conv.layer.window = Window::square(3, 1, 1);
        Node sum = shortcut;
        sum.layer.residual = true;
        const TensorId first = graph.add_node(shortcut_first ? shortcut : conv);
        const TensorId second = graph.add_node(shortcut_first ? conv : shortcut);
        sum.inputs = shortcut_first ? TensorIds{second, first} : TensorIds{first, second};
        here = graph.add_node(sum);
    }
    graph.outputs = {here};
    const std::vector<Repeat> found = repeats(graph);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].count, 2);
    EXPECT_EQ(found[0].block_nodes, 3);
}

}  // namespace
}  // namespace hacscale
