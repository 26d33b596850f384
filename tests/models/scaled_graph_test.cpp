#include "models/structure/scaled_graph.hpp"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "base/error.hpp"
#include "models/graph/network.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/random_graph.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using testing::RandomGraph;

struct Scalable {
    explicit Scalable(const Graph& base) : graph(base), groups(channel_groups(base)), runs(repeats(base)) {}
    Graph graph;
    std::vector<ChannelGroup> groups;
    std::vector<Repeat> runs;

    GraphChoice as_it_is() const { return choice_of(groups, runs); }
    ScaledGraph at(const GraphChoice& choice) const { return scaled(graph, groups, runs, choice); }
};

void expect_same(const Graph& a, const Graph& b, const std::string& where) {
    ASSERT_EQ(a.nodes.size(), b.nodes.size()) << where;
    for (std::size_t i = 0; i < a.nodes.size(); ++i) {
        EXPECT_EQ(a.nodes[i].layer, b.nodes[i].layer) << where << ", " << a.nodes[i].name;
        EXPECT_EQ(a.nodes[i].name, b.nodes[i].name) << where;
        EXPECT_EQ(a.nodes[i].stage, b.nodes[i].stage) << where;
        EXPECT_EQ(a.nodes[i].block, b.nodes[i].block) << where << ", " << a.nodes[i].name;
        EXPECT_EQ(a.nodes[i].learned_params, b.nodes[i].learned_params) << where << ", " << a.nodes[i].name;
        for (std::size_t k = 0; k < a.nodes[i].inputs.size(); ++k) {
            EXPECT_EQ(a.nodes[i].inputs[k], b.nodes[i].inputs[k]) << where << ", " << a.nodes[i].name;
        }
    }
    EXPECT_EQ(a.outputs, b.outputs) << where;
}

TEST(ScaledGraph, IsTheBaseAtItsOwnWidthsAndDepths) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        const Scalable base(RandomGraph(seed).graph);
        expect_same(base.at(base.as_it_is()).graph, base.graph, std::to_string(seed));
    }
    for (const std::string& name : zoo_names()) {
        const Scalable base(lower(find_model(name)));
        expect_same(base.at(base.as_it_is()).graph, base.graph, name);
    }
}

TEST(ScaledGraph, IsSoundAtAnyWidthsAndDepths) {
    int deeper = 0;
    for (unsigned seed = 0; seed < 500; ++seed) {
        const Scalable base(RandomGraph(seed).graph);
        std::mt19937 random(seed);
        const std::vector<bool> tied = ties_its_ends(base.graph, base.groups, base.runs);
        GraphChoice choice = base.as_it_is();
        Graph one_by_one = base.graph;
        for (std::size_t g = 0; g < base.groups.size(); ++g) {
            const ChannelGroup& group = base.groups[g];
            choice.widths[g] = group.multiple * (1 + static_cast<int>(random() % (2U * group.units())));
            one_by_one = widened(one_by_one, group, choice.widths[g]);
        }
        expect_same(base.at(choice).graph, one_by_one, std::to_string(seed));
        for (std::size_t r = 0; r < base.runs.size(); ++r) {
            if (!tied[r]) continue;
            choice.depths[r] = 1 + static_cast<int>(random() % 4U);
            deeper += choice.depths[r] > base.runs[r].count ? 1 : 0;
        }
        const ScaledGraph made = base.at(choice);
        EXPECT_EQ(validate(made.graph), std::nullopt) << seed;
        std::set<std::string> names;
        for (const Node& node : made.graph.nodes) EXPECT_TRUE(names.insert(node.name).second) << node.name;
        ASSERT_EQ(made.origins.size(), made.graph.nodes.size());
        ASSERT_EQ(made.graph.outputs.size(), base.graph.outputs.size());
        for (std::size_t i = 0; i < base.graph.outputs.size(); ++i) {
            const Tensor& before = base.graph.tensors[static_cast<std::size_t>(base.graph.outputs[i])];
            const Tensor& after = made.graph.tensors[static_cast<std::size_t>(made.graph.outputs[i])];
            EXPECT_EQ(after.elements(), before.elements()) << seed;
            EXPECT_EQ(after.channels, before.channels) << seed;
        }
    }
    EXPECT_GT(deeper, 20);
}

// A stage model with other depths, written as a model and as a graph.
TEST(ScaledGraph, HasTheLayersOfAModelWithThatDepth) {
    for (const char* const name : {"resnet50", "mobilenetv2-1.0", "resnet20-cifar", "mobilenetv1-0.25"}) {
        ModelSpec model = find_model(name);
        const Scalable base(lower(model));
        GraphChoice choice = base.as_it_is();
        for (std::size_t r = 0; r < base.runs.size(); ++r) {
            const auto stage = static_cast<std::size_t>(
                base.graph.nodes[static_cast<std::size_t>(base.runs[r].first_node)].stage);
            const int more = r % 2 == 0 ? 2 : -1;
            choice.depths[r] += more;
            StageSpec& changed = model.stages[stage];
            changed.depth += more;
            if (!changed.inner_widths.empty()) {
                changed.inner_widths.resize(static_cast<std::size_t>(changed.depth),
                                            changed.inner_widths.back());
            }
        }
        const Graph made = base.at(choice).graph;
        const Graph wanted = lower(model);
        ASSERT_EQ(made.nodes.size(), wanted.nodes.size()) << name;
        for (std::size_t i = 0; i < made.nodes.size(); ++i) {
            EXPECT_EQ(made.nodes[i].layer, wanted.nodes[i].layer) << name << ", " << wanted.nodes[i].name;
            EXPECT_EQ(made.nodes[i].learned_params, wanted.nodes[i].learned_params)
                << name << ", " << wanted.nodes[i].name;
            EXPECT_EQ(made.nodes[i].stage, wanted.nodes[i].stage) << name << ", " << wanted.nodes[i].name;
            EXPECT_EQ(made.nodes[i].block, wanted.nodes[i].block) << name << ", " << wanted.nodes[i].name;
        }
    }
}

TEST(ScaledGraph, SaysWhichBlockANodeIs) {
    const Scalable base(lower(find_model("resnet20-cifar")));
    GraphChoice choice = base.as_it_is();
    ASSERT_THAT(choice.depths, ElementsAre(3, 2, 2));
    choice.depths = {2, 3, 1};
    choice.blocks = {{0, 2}, {0, 0, 1}, {}};
    const ScaledGraph made = base.at(choice);
    std::vector<std::string> names;
    for (const Node& node : made.graph.nodes) names.push_back(node.name);
    EXPECT_THAT(names,
                ::testing::IsSupersetOf({"stage1.block1.conv1", "stage1.block3.conv2", "stage2.block2.conv1",
                                         "stage2.block2.conv1.copy1", "stage2.block3.conv1"}));
    EXPECT_THAT(names, ::testing::Not(::testing::Contains("stage1.block2.conv1")));
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string& origin = base.graph.nodes[static_cast<std::size_t>(made.origins[i].node)].name;
        EXPECT_EQ(names[i], made.origins[i].copy == 0 ? origin : origin + ".copy1");
    }
}

TEST(ScaledGraph, CountsTheBiasAloneWhereWeightsAreAnotherLayers) {
    Graph graph;
    TensorId last = graph.add_input(3, 8, 8);
    for (const char* key : {"conv_i3x8x8_o64_k3_s1_p1_g1_bias_relu", "conv_i64x8x8_o64_k3_s1_p1_g1_bias",
                            "conv_i64x8x8_o64_k3_s1_p1_g1_bias", "conv_i64x8x8_o10_k1_s1_p0_g1_bias"}) {
        Node node{.layer = LayerSpec::from_key(key), .name = "conv" + std::to_string(graph.nodes.size())};
        node.inputs = {last};
        node.learned_params = cost_of(node.layer, 1, DataType::f32).params;
        last = graph.add_node(std::move(node));
    }
    graph.outputs = {last};
    graph.nodes[2].learned_params = 64;  // the weights are those of the layer before
    const Scalable base(graph);
    GraphChoice choice = base.as_it_is();
    for (int& width : choice.widths) width = 16;
    const Graph made = base.at(choice).graph;
    EXPECT_EQ(made.nodes[1].learned_params, 16 * 16 * 9 + 16);
    EXPECT_EQ(made.nodes[2].learned_params, 16);
}

TEST(ScaledGraph, RefusesWhatNoNetworkHas) {
    const Scalable base(lower(find_model("resnet20-cifar")));
    const auto refused = [&](auto change) {
        GraphChoice choice = base.as_it_is();
        change(choice);
        EXPECT_THROW(base.at(choice), InputError);
    };
    refused([](GraphChoice& choice) { choice.widths.pop_back(); });
    refused([](GraphChoice& choice) { choice.widths[0] = 0; });
    refused([](GraphChoice& choice) { choice.depths[0] = -1; });
    refused([](GraphChoice& choice) { choice.blocks = {{0, 1}, {}, {}}; });
    refused([](GraphChoice& choice) { choice.blocks = {{0, 1, 3}, {}, {}}; });
    refused([](GraphChoice& choice) { choice.blocks = {{2, 1, 0}, {}, {}}; });
    // Blocks without an add, of another width each.
    const Scalable plain(lower(find_model("vgg16-bn")));
    GraphChoice choice = plain.as_it_is();
    choice.depths[0] += 1;
    EXPECT_EQ(validate(plain.at(choice).graph), std::nullopt);
    const TensorId output = block_outputs(plain.graph, plain.runs[0])[0];
    for (std::size_t g = 0; g < plain.groups.size(); ++g) {
        if (plain.groups[g].tensors.front() == output) choice.widths[g] += 8;
    }
    EXPECT_THROW(plain.at(choice), InputError);
}

}  // namespace
}  // namespace hacscale
