#include "scaling/graph_space.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/random_graph.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two convs that an add ties, one between them, and a head.
Graph small() {
    Graph graph;
    graph.inputs = {graph.add_input(3, 8, 8)};
    const TensorId stem = testing::conv(graph, "stem", 0, 16);
    const TensorId inner = testing::conv(graph, "inner", stem, 12);
    const TensorId last = testing::conv_plus(graph, "last", inner, stem);
    graph.outputs = {testing::conv(graph, "head", last, 10)};
    return graph;
}

std::string error_of(const GraphSpaceSettings& settings) {
    try {
        make_graph_space(small(), settings);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

TEST(GraphSpace, HasMultiplesOfTheGridAndTheBasesOwnWidth) {
    const GraphSpace space = make_graph_space(small(), {});
    ASSERT_EQ(space.groups.size(), 2u);
    EXPECT_THAT(space.widths[0], ElementsAre(8, 16, 24, 32));
    EXPECT_THAT(space.widths[1], ElementsAre(8, 12, 16, 24));
    GraphSpaceSettings few;
    few.max_widths = 2;
    EXPECT_THAT(make_graph_space(small(), few).widths[0], ElementsAre(8, 16, 32));
}

TEST(GraphSpace, WidthsAreMultiplesOfGridAndGroupTogether) {
    Graph graph;
    graph.inputs = {graph.add_input(3, 8, 8)};
    const TensorId stem = testing::conv(graph, "stem", 0, 48);
    const TensorId grouped = testing::conv(graph, "grouped", stem, 48, 4);  // 12 channels a group
    graph.outputs = {testing::conv(graph, "head", grouped, 10)};
    const GraphSpace space = make_graph_space(graph, {});
    ASSERT_EQ(space.groups.size(), 1u);
    EXPECT_THAT(space.widths[0], ElementsAre(24, 48, 72, 96));
}

TEST(GraphSpace, FrozenLayersStayAsTheyAre) {
    GraphSpaceSettings settings;
    settings.freeze = {"last"};  // of the stem's group
    const GraphSpace space = make_graph_space(small(), settings);
    EXPECT_THAT(space.widths[0], ElementsAre(16));
    EXPECT_EQ(space.widths[1].size(), 4u);
    // An output never changes: freezing it is no mistake.
    settings.freeze = {"head"};
    EXPECT_EQ(make_graph_space(small(), settings).widths[0].size(), 4u);
}

TEST(GraphSpace, AFrozenLayersBlocksKeepTheirNumber) {
    const Graph base = lower(find_model("resnet20-cifar"));
    const GraphSpace open = make_graph_space(base, {});
    ASSERT_FALSE(open.repeats.empty());
    EXPECT_GT(open.depths[0].size(), 1u);
    GraphSpaceSettings settings;
    settings.freeze = {base.nodes[static_cast<std::size_t>(open.repeats[0].first_node)].name};
    EXPECT_THAT(make_graph_space(base, settings).depths[0], ElementsAre(open.repeats[0].count));
}

TEST(GraphSpace, LimitsKeepWidthsWithin) {
    GraphSpaceSettings settings;
    settings.limits = {parse_width_limit("last:16..24")};
    EXPECT_THAT(make_graph_space(small(), settings).widths[0], ElementsAre(16, 24));
}

TEST(GraphSpace, ReadsLimits) {
    const WidthLimit limit = parse_width_limit("backbone::conv1:8..64");
    EXPECT_EQ(limit.name, "backbone::conv1");
    EXPECT_EQ(limit.min, 8);
    EXPECT_EQ(limit.max, 64);
    for (const char* text :
         {"", "conv1", "conv1:8", ":8..16", "conv1:..16", "conv1:8..", "conv1:8..1e3", "conv1:0..8"}) {
        EXPECT_THROW(parse_width_limit(text), InputError) << text;
    }
}

TEST(GraphSpace, RefusesNamesAndLimitsThatDoNotFit) {
    GraphSpaceSettings settings;
    settings.freeze = {"inne"};
    EXPECT_THAT(error_of(settings), HasSubstr("no layer 'inne'; did you mean 'inner'?"));
    settings.freeze = {"inner", "inner"};
    EXPECT_THAT(error_of(settings), HasSubstr("'inner' is named twice"));
    settings.freeze = {"inner"};
    settings.limits = {{"inner", 8, 16}};
    EXPECT_THAT(error_of(settings), HasSubstr("'inner' is named twice"));
    settings.freeze = {"stem"};
    settings.limits = {{"last", 8, 16}};
    EXPECT_THAT(error_of(settings), HasSubstr("'stem' and 'last' are one width"));
    settings.freeze = {};
    settings.limits = {{"head", 8, 16}};
    EXPECT_THAT(error_of(settings), HasSubstr("the width of 'head' never changes"));
    settings.limits = {{"stem", 20, 22}};
    EXPECT_THAT(error_of(settings), HasSubstr("leaves out its width in the base, 16"));
    settings.limits = {{"stem", 24, 8}};
    EXPECT_THAT(error_of(settings), HasSubstr("leaves out its width in the base, 16"));
    settings.limits = {};
    settings.grid = 0;
    EXPECT_THAT(error_of(settings), HasSubstr("grid"));
    settings.grid = 8;
    settings.min_width_ratio = 1.5;
    EXPECT_THAT(error_of(settings), HasSubstr("at most 1"));
}

}  // namespace
}  // namespace hacscale
