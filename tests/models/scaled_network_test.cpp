#include "models/weights/scaled_network.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/operator.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/small_models.hpp"
#include "tests/models/random_graph.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using testing::append;
using testing::conv;
using testing::conv_plus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::layer_on;
using testing::RandomGraph;

Network with_weights(Graph graph, std::uint64_t seed) {
    Network network{.name = "net", .graph = std::move(graph)};
    network.weights = random_weights(network.graph, seed);
    return network;
}

std::vector<std::vector<double>> outputs_of(const Network& network) {
    constexpr int batch = 2;
    return reference_graph(network.graph, batch, random_inputs(network.graph, batch, 7), network.weights);
}

// Relative to the largest number of each output.
void expect_equal_outputs(const Network& a, const Network& b, const std::string& where) {
    const auto of_a = outputs_of(a);
    const auto of_b = outputs_of(b);
    ASSERT_EQ(of_a.size(), of_b.size()) << where;
    for (std::size_t o = 0; o < of_a.size(); ++o) {
        ASSERT_EQ(of_a[o].size(), of_b[o].size()) << where;
        double largest = 0.0;
        double difference = 0.0;
        for (std::size_t i = 0; i < of_a[o].size(); ++i) {
            largest = std::max(largest, std::abs(of_a[o][i]));
            difference = std::max(difference, std::abs(of_a[o][i] - of_b[o][i]));
        }
        EXPECT_LE(difference, 1e-5 * largest) << where << ", output " << o;
    }
}

struct Base {
    explicit Base(Network with, const GroupRules& rules = {})
        : network(std::move(with)),
          groups(channel_groups(network.graph, rules)),
          runs(repeats(network.graph)) {}
    Network network;
    std::vector<ChannelGroup> groups;
    std::vector<Repeat> runs;

    GraphChoice as_it_is() const { return choice_of(groups, runs); }
    ScaledNetwork at(const GraphChoice& choice, const WeightSettings& settings = {}) const {
        return scaled_network(network, groups, runs, choice, settings);
    }
    ScaledNetwork widened_by(int times) const {
        GraphChoice choice = as_it_is();
        for (int& width : choice.widths) width *= times;
        return at(choice);
    }
};

// ---- Any graph ----

TEST(ScaledNetwork, IsTheBaseAtItsOwnWidths) {
    for (unsigned seed = 0; seed < 100; ++seed) {
        const Base base(with_weights(RandomGraph(seed).graph, seed));
        const ScaledNetwork same = base.at(base.as_it_is());
        ASSERT_TRUE(same.same_function()) << seed;
        for (std::size_t n = 0; n < same.network.weights.size(); ++n) {
            EXPECT_EQ(same.network.weights[n].weights, base.network.weights[n].weights) << seed;
            EXPECT_EQ(same.network.weights[n].bias, base.network.weights[n].bias) << seed;
        }
    }
}

TEST(ScaledNetwork, ComputesWhatItsBaseDoesWhenItGrows) {
    int grown = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        for (const GroupRules& rules : {GroupRules{}, GroupRules{GroupedConvs::keep_count, true}}) {
            const Base base(with_weights(RandomGraph(seed).graph, seed), rules);
            std::mt19937 random(seed);
            GraphChoice choice = base.as_it_is();
            for (std::size_t g = 0; g < base.groups.size(); ++g) {
                const int more = static_cast<int>(random() % (1U + base.groups[g].units()));
                choice.widths[g] += base.groups[g].multiple * more;
                grown += more > 0 ? 1 : 0;
            }
            const ScaledNetwork made = base.at(choice);
            EXPECT_THAT(made.inexact, IsEmpty()) << seed;
            EXPECT_TRUE(made.keeps_all) << seed;
            expect_equal_outputs(made.network, base.network, std::to_string(seed));
        }
    }
    EXPECT_GT(grown, 150);
}

// The base, where nothing reads the units that a smaller network lacks.
Network without_units(const Base& base, const std::vector<std::vector<int>>& units) {
    Network masked = base.network;
    std::vector<std::vector<bool>> kept;
    for (const Tensor& tensor : base.network.graph.tensors)
        kept.emplace_back(static_cast<std::size_t>(tensor.channels), true);
    for (std::size_t g = 0; g < base.groups.size(); ++g) {
        const int count = base.groups[g].units();
        for (const ChannelSegment& segment : base.groups[g].segments) {
            const int each = segment.channels / count;
            for (int c = 0; c < segment.channels; ++c) {
                kept[static_cast<std::size_t>(segment.tensor)][static_cast<std::size_t>(segment.first + c)] =
                    std::ranges::find(units[g], c / each) != units[g].end();
            }
        }
    }
    for (std::size_t n = 0; n < masked.weights.size(); ++n) {
        const Node& node = masked.graph.nodes[n];
        const LayerSpec& layer = node.layer;
        const std::vector<bool>& read = kept[static_cast<std::size_t>(node.inputs.front())];
        std::vector<float>& weights = masked.weights[n].weights;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            int in = 0;
            if (layer.kind == LayerKind::conv) {
                const int share = layer.in_channels / layer.groups;
                const int taps = static_cast<int>(layer.window.taps());
                const int out = static_cast<int>(i) / taps / share;
                in = out / (layer.out_channels / layer.groups) * share + static_cast<int>(i) / taps % share;
            } else if (layer.kind == LayerKind::transposed_conv) {
                in = static_cast<int>(i / (weights.size() / static_cast<std::size_t>(layer.in_channels)));
            } else if (layer.kind == LayerKind::squeeze_excite) {
                in = static_cast<int>(i) % layer.in_channels;
            } else {
                continue;
            }
            if (!read[static_cast<std::size_t>(in)]) weights[i] = 0.0F;
        }
    }
    return masked;
}

TEST(ScaledNetwork, ComputesWhatItsBaseDoesWithoutTheUnitsThatItLacks) {
    int shrunk = 0;
    for (unsigned seed = 200; seed < 260; ++seed) {
        for (const GroupRules& rules : {GroupRules{}, GroupRules{GroupedConvs::keep_count, true}}) {
            const Base base(with_weights(RandomGraph(seed).graph, seed), rules);
            std::mt19937 random(seed);
            GraphChoice choice = base.as_it_is();
            for (std::size_t g = 0; g < base.groups.size(); ++g) {
                // Some more, some fewer.
                const int units =
                    1 + static_cast<int>(random() %
                                         (3U * static_cast<unsigned>(base.groups[g].units()) / 2U + 1U));
                choice.widths[g] = base.groups[g].multiple * units;
                shrunk += units < base.groups[g].units() ? 1 : 0;
            }
            const ScaledNetwork made = base.at(choice);
            EXPECT_EQ(validate(made.network.graph), std::nullopt);
            expect_equal_outputs(made.network, without_units(base, made.units), std::to_string(seed));
        }
    }
    EXPECT_GT(shrunk, 50);
}

// ---- Which units and blocks ----

TEST(ScaledNetwork, KeepsTheUnitsWithTheHighestScores) {
    Graph graph;
    const TensorId image = graph.add_input(3, 4, 4);
    const TensorId stem = conv(graph, "stem", image, 4);
    const TensorId block = conv_plus(graph, "block", conv(graph, "inner", stem, 2), stem);
    graph.outputs = {conv(graph, "head", block, 5)};
    Base base(with_weights(graph, 1));
    // By layer over its mean: unit 2 is largest in the one, unit 1 in the other.
    base.network.weights[0].weights = {1, 1, 1, 2, 2, 2, -3, -3, -3, 0, 0, 0};
    base.network.weights[2].weights = {1, 1, -20, 20, 1, 1, 1, 1};
    const UnitScores scores = weight_scores(base.network, base.groups);
    ASSERT_EQ(base.groups[0].name, "stem");
    ASSERT_EQ(scores[0].size(), 4u);
    EXPECT_NEAR(scores[0][0], 3.0 / 4.5 + 2.0 / 11.5, 1e-12);
    EXPECT_NEAR(scores[0][1], 6.0 / 4.5 + 40.0 / 11.5, 1e-12);
    EXPECT_NEAR(scores[0][2], 9.0 / 4.5 + 2.0 / 11.5, 1e-12);
    GraphChoice choice = base.as_it_is();
    choice.widths[0] = 2;
    const ScaledNetwork made = base.at(choice);
    EXPECT_THAT(made.units[0], ElementsAre(1, 2));
    EXPECT_THAT(made.network.weights[0].weights, ElementsAre(2, 2, 2, -3, -3, -3));
    EXPECT_FALSE(made.keeps_all);
    WeightSettings settings;
    settings.unit_scores = {{5.0, 0.0, 0.0, 4.0}, {}};
    EXPECT_THAT(base.at(choice, settings).units[0], ElementsAre(0, 3));
    // Without scores a group may grow, but not shrink.
    choice.widths[1] = 4;
    EXPECT_EQ(base.at(choice, settings).units[1].size(), 4u);
    choice.widths[1] = 1;
    EXPECT_THROW(base.at(choice, settings), InputError);
}

TEST(ScaledNetwork, ReadsCopiesUnequally) {
    Graph graph;
    const TensorId stem = conv(graph, "stem", graph.add_input(3, 4, 4), 4);
    graph.outputs = {conv(graph, "head", stem, 5)};
    const Base base(with_weights(graph, 1));
    const ScaledNetwork made = base.widened_by(2);
    const std::vector<float>& head = made.network.weights[1].weights;
    int unequal = 0;
    for (std::size_t out = 0; out < 5; ++out) {
        for (std::size_t unit = 0; unit < 4; ++unit) {
            const auto copy = static_cast<std::size_t>(
                std::find(made.units[0].begin() + 4, made.units[0].end(), static_cast<int>(unit)) -
                made.units[0].begin());
            EXPECT_NEAR(head[out * 8 + unit] + head[out * 8 + copy],
                        base.network.weights[1].weights[out * 4 + unit], 1e-6);
            unequal += head[out * 8 + unit] != head[out * 8 + copy] ? 1 : 0;
        }
    }
    EXPECT_EQ(unequal, 20);
    WeightSettings settings;
    settings.unevenness = 0.5;
    EXPECT_THROW(base.at(base.as_it_is(), settings), InputError);
}

TEST(ScaledNetwork, StartsNewBlocksAsIdentitiesAndDropsTheLeast) {
    ModelSpec model = find_model("resnet20-cifar");
    model.resolution = 8;
    Base base(with_weights(lower(model), 3));
    GraphChoice choice = base.as_it_is();
    ASSERT_THAT(choice.depths, ElementsAre(3, 2, 2));
    choice.depths = {5, 2, 3};
    for (std::size_t g = 0; g < base.groups.size(); g += 2) choice.widths[g] += 4;
    const ScaledNetwork deeper = base.at(choice);
    EXPECT_TRUE(deeper.same_function());
    EXPECT_THAT(deeper.blocks[0], ElementsAre(0, 1, 2, 2, 2));
    expect_equal_outputs(deeper.network, base.network, "deeper");

    // A block that adds nothing goes first.
    for (std::size_t n = 0; n < base.network.graph.nodes.size(); ++n) {
        if (base.network.graph.nodes[n].name != "stage1.block2.conv2") continue;
        std::ranges::fill(base.network.weights[n].weights, 0.0F);
        std::ranges::fill(base.network.weights[n].bias, 0.0F);
    }
    choice = base.as_it_is();
    choice.depths[0] = 2;
    const ScaledNetwork shallower = base.at(choice);
    EXPECT_THAT(shallower.blocks[0], ElementsAre(0, 2));
    EXPECT_FALSE(shallower.keeps_all);
    expect_equal_outputs(shallower.network, base.network, "shallower");
    WeightSettings settings;
    settings.block_scores = {{1.0, 2.0, 0.5}, {1, 1}, {1, 1}};
    EXPECT_THAT(base.at(choice, settings).blocks[0], ElementsAre(0, 1));
}

// A chain of convs without adds grows by convs that copy their input, as long as nothing between them changes it.
// Planned latencies, MACs and params are of these layers, whichever blocks are kept.
TEST(ScaledNetwork, HasTheLayersOfItsChoiceWhateverBlocksAreKept) {
    Network base = network_of(find_model("resnet20-cifar"));
    base.weights = random_weights(base.graph, 3);
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    const std::vector<Repeat> runs = repeats(base.graph);
    ASSERT_FALSE(runs.empty());
    std::mt19937_64 random(5);
    int others = 0;  // blocks other than the first ones were kept
    for (int round = 0; round < 30; ++round) {
        GraphChoice choice = choice_of(groups, runs);
        WeightSettings settings;
        for (std::size_t r = 0; r < runs.size(); ++r) {
            choice.depths[r] = 1 + static_cast<int>(random() % static_cast<unsigned>(runs[r].count + 1));
            std::vector<double>& scores = settings.block_scores.emplace_back();
            for (int block = 0; block < runs[r].count; ++block) {
                scores.push_back(static_cast<double>(random() % 1000));
            }
        }
        for (std::size_t g = 0; g < groups.size(); ++g) {
            choice.widths[g] = 4 * (1 + static_cast<int>(random() % 12)) * groups[g].multiple;
        }
        const Graph planned = scaled(base.graph, groups, runs, choice).graph;
        const ScaledNetwork made = scaled_network(base, groups, runs, choice, settings);
        ASSERT_EQ(made.network.graph.nodes.size(), planned.nodes.size()) << round;
        for (std::size_t n = 0; n < planned.nodes.size(); ++n) {
            EXPECT_EQ(made.network.graph.nodes[n].layer, planned.nodes[n].layer) << round << " " << n;
        }
        for (std::size_t r = 0; r < runs.size(); ++r) {
            others += made.blocks[r].front() > 0 ? 1 : 0;
        }
    }
    EXPECT_GT(others, 5);
}

TEST(ScaledNetwork, StartsNewPlainLayersAsIdentitiesBehindAReLU) {
    for (const Activation activation : {Activation::relu, Activation::silu}) {
        Graph graph;
        TensorId here =
            conv(graph, "stem", graph.add_input(3, 6, 6), 8, 1, Window::square(3, 1, 1), activation);
        for (const char* const name : {"conv1", "conv2", "conv3"}) {
            here = conv(graph, name, here, 8, 1, Window::square(3, 1, 1), activation);
        }
        graph.outputs = {conv(graph, "head", here, 5)};
        const Base base(with_weights(graph, 2));
        ASSERT_EQ(base.runs.size(), 1u);
        GraphChoice choice = base.as_it_is();
        choice.depths[0] += 2;
        const ScaledNetwork made = base.at(choice);
        EXPECT_EQ(made.same_function(), activation == Activation::relu);
        if (activation == Activation::relu) {
            expect_equal_outputs(made.network, base.network, "plain");
        } else {
            ASSERT_EQ(made.inexact.size(), 2u);
            EXPECT_THAT(made.inexact[0], HasSubstr("conv3.copy1"));
        }
    }
}

// ---- Layers that compute from all channels ----

Network normed(LayerKind kind, int groups = 1) {
    Graph graph;
    const TensorId stem = conv(graph, "stem", graph.add_input(3, 4, 4), 8);
    LayerSpec layer = layer_on(graph, stem, kind);
    layer.groups = groups;
    layer.epsilon = 1e-5F;
    if (kind == LayerKind::eca) {
        layer.epsilon = Parameter();
        layer.window.kernel[1] = 3;
        layer.gate = Activation::sigmoid;
    }
    graph.outputs = {conv(graph, "head", append(graph, "norm", layer, {stem}), 5)};
    return with_weights(graph, 5);
}

TEST(ScaledNetwork, SaysWhatItsNormsCannotKeep) {
    for (const LayerKind kind : {LayerKind::layer_norm, LayerKind::group_norm, LayerKind::grn}) {
        const Base base(normed(kind));
        const ScaledNetwork doubled = base.widened_by(2);
        EXPECT_TRUE(doubled.same_function()) << name_of(kind);
        expect_equal_outputs(doubled.network, base.network, std::string(name_of(kind)));
        GraphChoice choice = base.as_it_is();
        choice.widths[0] += 3;
        const ScaledNetwork made = base.at(choice);
        ASSERT_EQ(made.inexact.size(), 1u) << name_of(kind);
        EXPECT_EQ(made.inexact[0], "norm: its statistics count channels 1 to 2 times");
    }
    // Whole groups keep their statistics.
    const Base grouped(normed(LayerKind::group_norm, 4));
    ASSERT_EQ(grouped.groups[0].multiple, 2);
    GraphChoice choice = grouped.as_it_is();
    choice.widths[0] += 6;
    const ScaledNetwork made = grouped.at(choice);
    EXPECT_TRUE(made.same_function());
    expect_equal_outputs(made.network, grouped.network, "groups");
    EXPECT_EQ(made.network.graph.nodes[1].layer.groups, 7);
    // Of a network that lacks channels nothing is said.
    choice.widths[0] = 4;
    EXPECT_THAT(grouped.at(choice).inexact, IsEmpty());
    const Base eca(normed(LayerKind::eca));
    EXPECT_THAT(eca.widened_by(2).inexact[0], HasSubstr("neighbours"));
}

// ---- Networks with stages ----

TEST(ScaledNetwork, OfStagesComputesWhatItsBaseDoesWhenItGrows) {
    int same = 0;
    std::vector<ModelSpec> models = testing::small_models();
    for (const ModelSpec& base : models) {
        const std::vector<LayerWeights> weights = random_weights(lower(base), 4);
        ScalingChoice choice = choice_of(base);
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            choice.widths[s] += 8;
            choice.depths[s] += s == 1 ? 1 : 0;
        }
        if (!keeps_skips(base, choice.widths)) continue;
        const ModelSpec target = scaled(base, choice);
        const ScaledNetwork made = scaled_network(base, weights, target);
        EXPECT_EQ(network_hash(made.network), model_hash(target));
        EXPECT_TRUE(made.keeps_all) << base.name;
        if (!made.inexact.empty()) continue;
        expect_equal_outputs(made.network, {.name = base.name, .graph = lower(base), .weights = weights},
                             base.name);
        ++same;
    }
    EXPECT_GE(same, 4);
}

TEST(ScaledNetwork, OfStagesIsTheGraphsAtEqualWidths) {
    const ModelSpec model = find_model("resnet20-cifar");
    const Base base(with_weights(lower(model), 3));
    ScalingChoice choice = choice_of(model);
    choice.widths[0] = 24;
    choice.depths = {2, 3, 4};
    const ModelSpec target = scaled(model, choice);
    const ScaledNetwork by_stages = scaled_network(model, base.network.weights, target);
    GraphChoice as_graph = base.as_it_is();
    as_graph.depths = {2, 2, 3};
    for (std::size_t g = 0; g < base.groups.size(); ++g) {
        if (base.groups[g].base_width == 16) as_graph.widths[g] = 24;
    }
    const ScaledNetwork by_graph = base.at(as_graph);
    EXPECT_EQ(by_stages.blocks, by_graph.blocks);
    ASSERT_EQ(by_stages.network.weights.size(), by_graph.network.weights.size());
    for (std::size_t n = 0; n < by_graph.network.weights.size(); ++n) {
        EXPECT_EQ(by_stages.network.weights[n].weights, by_graph.network.weights[n].weights);
        EXPECT_EQ(by_stages.origins[n], by_graph.origins[n]);
    }
}

// ---- What is refused ----

TEST(ScaledNetwork, RefusesWeightsThatAreNotItsOwn) {
    const Base base(with_weights(lower(find_model("resnet8-cifar")), 1));
    const auto message = [&](Network network) {
        try {
            scaled_network(network, base.groups, base.runs, base.as_it_is());
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    Network other = base.network;
    other.weights = random_weights(lower(find_model("resnet20-cifar")), 1);
    EXPECT_THAT(message(other), HasSubstr("of its"));
    other = base.network;
    other.weights[1].weights.pop_back();
    EXPECT_THAT(message(other),
                HasSubstr("stage1.block1.conv1.weight: expected 2304 numbers of the shape [16, 16, 3, 3]"));
    other = base.network;
    other.weights[2].bias[3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(message(other), HasSubstr("stage1.block1.conv2.bias: number 3 is nan"));
    other = base.network;
    other.weights.clear();
    EXPECT_THAT(message(other), HasSubstr("weights of 0 of its"));
    WeightSettings settings;
    settings.unit_scores = weight_scores(base.network, base.groups);
    settings.unit_scores[0][1] = std::numeric_limits<double>::infinity();
    GraphChoice choice = base.as_it_is();
    choice.widths[0] -= 8;
    EXPECT_THROW(base.at(choice, settings), InputError);
}

TEST(UnitScores, AreReadFromAFile) {
    const Base base(with_weights(lower(find_model("resnet8-cifar")), 1));
    const testing::TempFolder folder;
    const std::filesystem::path file = folder / "unit_scores.json";
    const auto read = [&](const std::string& text) {
        std::ofstream(file) << text;
        return read_scores(file, base.groups, base.runs);
    };
    std::string sixteen = "[0.5";
    for (int i = 1; i < 16; ++i) sixteen += "," + std::to_string(i);
    sixteen += "]";
    const ScoresFile scores =
        read(R"({"method": "taylor", "groups": {")" + base.groups[0].name + "\": " + sixteen + "}}");
    EXPECT_EQ(scores.method, "taylor");
    ASSERT_EQ(scores.unit_scores.size(), base.groups.size());
    EXPECT_EQ(scores.unit_scores[0][0], 0.5);
    EXPECT_EQ(scores.unit_scores[0][15], 15.0);
    EXPECT_THAT(scores.unit_scores[1], IsEmpty());
    EXPECT_THAT(scores.block_scores, IsEmpty());
    const std::string block = R"("blocks": {")" + base.runs[0].name + R"(": [0.25]}})";
    EXPECT_THAT(read(R"({"method": "fisher", "groups": {}, )" + block).block_scores,
                ElementsAre(ElementsAre(0.25)));
    for (const std::string text :
         {"", "[]", R"({"groups": {}})", R"({"method": "l1", "groups": {"nothing": [1]}})",
          R"({"method": "l1", "groups": {"stem.conv1": [1]}})",
          R"({"method": "l1", "groups": {"stem.conv1": ["a"]}})",
          R"({"method": "l1", "groups": {}, "blocks": []})",
          R"({"method": "l1", "groups": {}, "blocks": {"nothing": [1]}})"}) {
        EXPECT_THROW(read(text), InputError) << text;
    }
    std::filesystem::remove(file);
    EXPECT_THROW(read_scores(file, base.groups, base.runs), InputError);
}

}  // namespace
}  // namespace hacscale
