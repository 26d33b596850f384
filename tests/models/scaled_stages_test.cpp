#include "models/structure/scaled_stages.hpp"

#include <gmock/gmock.h>

#include <random>
#include <string>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

struct StagedNetwork {
    explicit StagedNetwork(const std::string& name)
        : model(find_model(name)), graph(lower(model)), groups(channel_groups(graph)), runs(repeats(graph)) {}
    ModelSpec model;
    Graph graph;
    std::vector<ChannelGroup> groups;
    std::vector<Repeat> runs;

    // Each group between half and one and a half of its units, each repeat with some of its blocks.
    GraphChoice random_choice(unsigned seed) const {
        std::mt19937 random(seed);
        GraphChoice choice = choice_of(groups, runs);
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const unsigned units = static_cast<unsigned>(groups[g].units());
            choice.widths[g] = groups[g].multiple * static_cast<int>((units + 1) / 2 + random() % units);
        }
        const std::vector<bool> tied = ties_its_ends(graph, groups, runs);
        choice.blocks.resize(runs.size());
        for (std::size_t r = 0; r < runs.size(); ++r) {
            if (!tied[r]) continue;
            for (int b = 0; b < runs[r].count; ++b) {
                if (b == 0 || random() % 3 > 0) choice.blocks[r].push_back(b);
            }
            if (random() % 3 == 0) choice.blocks[r].push_back(choice.blocks[r].back());
            choice.depths[r] = static_cast<int>(choice.blocks[r].size());
        }
        return choice;
    }
};

TEST(ScaledStages, HaveTheLayersOfTheScaledGraph) {
    for (const char* const name : {"resnet20-cifar", "resnet34", "mobilenetv2-1.0-cifar", "wrn-16-4-cifar"}) {
        const StagedNetwork base(name);
        int refused = 0;
        for (unsigned seed = 0; seed < 5; ++seed) {
            const GraphChoice choice = base.random_choice(seed);
            const Graph graph = scaled(base.graph, base.groups, base.runs, choice).graph;
            ModelSpec model;
            try {
                model = scaled_stages(base.model, base.groups, base.runs, choice);
            } catch (const InputError& error) {
                // An inverted residual adds its input wherever two widths come to be equal.
                EXPECT_THAT(error.what(), HasSubstr("would be")) << name << seed;
                ++refused;
                continue;
            }
            const Graph stages = lower(model);
            ASSERT_EQ(stages.nodes.size(), graph.nodes.size()) << name << seed;
            for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
                EXPECT_EQ(stages.nodes[n].layer.key(), graph.nodes[n].layer.key()) << name << seed;
            }
            EXPECT_EQ(stages.params(), graph.params()) << name << seed;
        }
        EXPECT_LE(refused, std::string(name).starts_with("mobilenet") ? 3 : 0) << name;
        EXPECT_EQ(scaled_stages(base.model, base.groups, base.runs, choice_of(base.groups, base.runs)),
                  base.model);
    }
}

std::string refusal(const StagedNetwork& base, const GraphChoice& choice) {
    try {
        scaled_stages(base.model, base.groups, base.runs, choice);
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

// A stage of VGG has one width, and both convs in the middle of a bottleneck have its inner width.
TEST(ScaledStages, WidthsThatAModelHasOnceCannotPart) {
    for (const char* const name : {"vgg16-bn-cifar", "resnet50"}) {
        const StagedNetwork base(name);
        int refused = 0;
        for (std::size_t g = 0; g < base.groups.size(); ++g) {
            GraphChoice choice = choice_of(base.groups, base.runs);
            choice.widths[g] -= base.groups[g].multiple;
            const std::string why = refusal(base, choice);
            if (why.empty()) continue;
            EXPECT_THAT(why, HasSubstr("write it as an ONNX file")) << name;
            ++refused;
        }
        EXPECT_GT(refused, 5) << name;
    }
}

TEST(ScaledStages, AStageNeedsABlock) {
    const StagedNetwork base("resnet20-cifar");
    GraphChoice choice = choice_of(base.groups, base.runs);
    for (std::size_t r = 0; r < base.runs.size(); ++r) {
        if (base.runs[r].count == base.model.stages[0].depth) choice.depths[r] = 0;
    }
    EXPECT_THAT(refusal(base, choice), HasSubstr("stage1 has no blocks"));
}

}  // namespace
}  // namespace hacscale
