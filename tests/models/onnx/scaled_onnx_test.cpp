// From an ONNX file to a scaled one: what is imported, grown or shrunk, and written, and the document of its channels.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "models/weights/channel_document.hpp"
#include "models/weights/scaled_network.hpp"
#include "tests/models/random_graph.hpp"

namespace hacscale {
namespace {

using testing::append;
using testing::concat;
using testing::conv;
using testing::conv_plus;
using testing::layer_on;
using testing::shuffle;
using testing::slice;

constexpr Window three = Window::square(3, 1, 1);

// Branches of several kernels beside each other, as Inception has them, dense layers behind (DenseNet), and a decoder that reads an earlier
// map (U-Net).
Network branched() {
    Graph graph;
    const TensorId image = graph.add_input(3, 8, 8);
    const TensorId stem = conv(graph, "stem", image, 12, 1, three, Activation::relu);
    const TensorId one = conv(graph, "mixed.one", stem, 8, 1, {}, Activation::relu);
    const TensorId wide = conv(graph, "mixed.wide", stem, 6, 1, three, Activation::relu);
    const TensorId mixed = concat(graph, "mixed.concat", {one, wide, stem});
    const TensorId dense1 = conv(graph, "dense1.conv", mixed, 4, 1, three, Activation::relu);
    const TensorId dense2 =
        conv(graph, "dense2.conv", concat(graph, "dense1.concat", {mixed, dense1}), 4, 1, three);
    const TensorId all = concat(graph, "dense2.concat", {mixed, dense1, dense2});
    LayerSpec norm = layer_on(graph, all, LayerKind::scale_shift);
    norm.activation = Activation::relu;
    const TensorId normed = append(graph, "norm", norm, {all});
    const TensorId up = concat(graph, "up.concat", {conv(graph, "up.conv", normed, 10), stem});
    graph.outputs = {conv(graph, "head", up, 5)};
    return {.name = "branched", .graph = std::move(graph)};
}

// Halves that go separate ways and are mixed again (ShuffleNet, CSP), and maps made of others by depthwise convs (GhostNet).
Network mixed() {
    Graph graph;
    const TensorId stem = conv(graph, "stem", graph.add_input(3, 8, 8), 16, 1, three, Activation::relu);
    const TensorId left = slice(graph, "split.left", stem, 0, 8);
    const TensorId right = slice(graph, "split.right", stem, 8, 8);
    const TensorId branch = conv(graph, "branch.conv2", conv(graph, "branch.conv1", right, 8, 8, three), 8, 1,
                                 {}, Activation::relu);
    const TensorId both = shuffle(graph, "shuffle", concat(graph, "concat", {left, branch}), 2);
    const TensorId primary = conv(graph, "ghost.primary", both, 6, 1, {}, Activation::relu);
    const TensorId cheap = conv(graph, "ghost.cheap", primary, 6, 6, three, Activation::relu);
    const TensorId ghost = concat(graph, "ghost.concat", {primary, cheap});
    const TensorId sum = conv_plus(graph, "sum", conv(graph, "inner", ghost, 9), ghost, Activation::relu);
    graph.outputs = {conv(graph, "head", sum, 5)};
    return {.name = "mixed", .graph = std::move(graph)};
}

std::vector<double> output_of(const Network& network) {
    return reference_graph(network.graph, 1, random_inputs(network.graph, 1, 3), network.weights).front();
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    double largest = 0.0;
    double difference = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(a[i]));
        difference = std::max(difference, std::abs(a[i] - b.at(i)));
    }
    return difference / largest;
}

TEST(ScaledOnnx, HasFreeWidthsThroughConcatsSlicesAndShuffles) {
    for (Network network : {branched(), mixed()}) {
        network.weights = random_weights(network.graph, 1);
        const Network base = import_onnx(export_onnx(network), network.name);
        const std::vector<ChannelGroup> groups = channel_groups(base.graph);
        const std::vector<Repeat> runs = repeats(base.graph);
        EXPECT_GE(groups.size(), network.name == "branched" ? 6U : 4U);
        // Every width of a conv's output can change, but the head's.
        for (const Node& node : base.graph.nodes) {
            if (node.layer.kind != LayerKind::conv || node.name == "head") continue;
            int channels = 0;
            for (const ChannelGroup& group : groups) {
                for (std::size_t t = 0; t < group.tensors.size(); ++t) {
                    if (group.tensors[t] == node.outputs.front()) channels += group.channels[t];
                }
            }
            EXPECT_EQ(channels, node.layer.out_channels) << network.name << ", " << node.name;
        }
        GraphChoice choice = choice_of(groups, runs);
        for (std::size_t g = 0; g < groups.size(); ++g)
            choice.widths[g] += groups[g].multiple * (1 + static_cast<int>(g) % 3);
        const ScaledNetwork grown = scaled_network(base, groups, runs, choice);
        EXPECT_TRUE(grown.same_function());
        EXPECT_LT(largest_difference(output_of(base), output_of(grown.network)), 1e-5);
        // Out and in again.
        const Network read = import_onnx(export_onnx(grown.network), "read");
        EXPECT_EQ(network_hash(read), network_hash(grown.network));
        EXPECT_LT(largest_difference(output_of(base), output_of(read)), 1e-5);
        for (std::size_t g = 0; g < groups.size(); ++g) {
            choice.widths[g] = groups[g].multiple * std::max(1, groups[g].units() * 2 / 3);
        }
        const ScaledNetwork shrunk = scaled_network(base, groups, runs, choice);
        EXPECT_EQ(network_hash(import_onnx(export_onnx(shrunk.network), "read")),
                  network_hash(shrunk.network));
    }
}

TEST(ScaledOnnx, IsDescribedByTheChannelsOfItsModules) {
    Network base = branched();
    base.weights = random_weights(base.graph, 1);
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    const std::vector<Repeat> runs = repeats(base.graph);
    GraphChoice choice = choice_of(groups, runs);
    const auto set = [&](const std::string& name, int width) {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            if (groups[g].name == name) choice.widths[g] = width;
        }
    };
    set("mixed.one", 3);
    set("mixed.wide", 8);
    const ScaledNetwork made = scaled_network(base, groups, runs, choice);
    const nlohmann::json json = nlohmann::json::parse(channel_document(base, groups, runs, made));
    EXPECT_EQ(json["format"], 1);
    EXPECT_EQ(json["base"], network_hash(base));
    EXPECT_EQ(json["network"], network_hash(made.network));
    EXPECT_EQ(json["same_function"], false);
    EXPECT_EQ(json["tensors"]["mixed.one.weight"], nlohmann::json::parse("[[8, 12, 1, 1], [3, 12, 1, 1]]"));
    EXPECT_EQ(json["tensors"]["dense1.conv.weight"], nlohmann::json::parse("[[4, 26, 3, 3], [4, 23, 3, 3]]"));
    EXPECT_EQ(json["modules"]["dense1.conv"]["in_channels"], nlohmann::json::parse("[26, 23]"));
    EXPECT_FALSE(json["modules"]["dense1.conv"].contains("out_from"));
    EXPECT_EQ(json["modules"]["mixed.one"]["out_from"], json["kept"]["mixed.one"]);
    // The units that stay, the grown ones behind them with their copies, then the stem's.
    std::vector<int> read;
    for (const int unit : json["kept"]["mixed.one"]) read.push_back(unit);
    for (const int unit : json["kept"]["mixed.wide"]) read.push_back(8 + unit);
    for (int c = 14; c < 26; ++c) read.push_back(c);
    EXPECT_EQ(json["modules"]["dense1.conv"]["in_from"], read);
    EXPECT_EQ(json["kept"]["mixed.wide"].size(), 8u);
    EXPECT_TRUE(json["removed"].empty());
}

TEST(ChannelDocument, SaysWhatBlocksAreMadeOfAndHowNewOnesStart) {
    Network base;
    base.name = "blocks";
    base.graph.inputs = {base.graph.add_input(3, 8, 8)};
    TensorId here = conv(base.graph, "stem", 0, 8);
    for (const std::string name : {"a", "b"}) {
        const TensorId inner = conv(base.graph, name + ".1", here, 4);
        here = conv_plus(base.graph, name + ".2", inner, here);
    }
    base.graph.outputs = {conv(base.graph, "head", here, 10)};
    base.weights = random_weights(base.graph, 1);
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    const std::vector<Repeat> runs = repeats(base.graph);
    ASSERT_EQ(runs.size(), 1U);
    GraphChoice choice = choice_of(groups, runs);
    choice.depths = {3};
    const ScaledNetwork made = scaled_network(base, groups, runs, choice);
    const nlohmann::json json = nlohmann::json::parse(channel_document(base, groups, runs, made));
    const nlohmann::json& repeat = json["repeats"][runs[0].name];
    EXPECT_EQ(repeat["blocks"], nlohmann::json::parse("[0, 1, 1]"));
    EXPECT_EQ(repeat["modules"], nlohmann::json::parse(R"([["a.1", "a.2"], ["b.1", "b.2"]])"));
    EXPECT_EQ(json["modules"]["b.2.copy1"]["starts_as"], "zero");
    EXPECT_FALSE(json["modules"]["b.1.copy1"].contains("starts_as"));
    EXPECT_FALSE(json["modules"]["b.2"].contains("starts_as"));
}

}  // namespace
}  // namespace hacscale
