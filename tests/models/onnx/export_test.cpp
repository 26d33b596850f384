// Networks as ONNX models: read again they are the same, whatever the opset, and their names and sizes are those that users expect.
#include "models/formats/onnx_export/onnx_export.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "base/error.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/broadcast.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/small_graphs.hpp"
#include "tests/models/generated.hpp"
#include "tests/models/onnx/small_models.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

constexpr std::array all_opsets{9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};

// Numbers that differ, without the time that random ones take in large networks.
LayerWeights counted_weights(const LayerSpec& layer, int seed) {
    LayerWeights weights;
    for (const WeightPart& part : operator_of(layer.kind).weights(layer)) {
        const std::int64_t count =
            std::accumulate(part.shape.begin(), part.shape.end(), std::int64_t{1}, std::multiplies<>());
        std::vector<float>& values = weights.*part.values;
        values.resize(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = 0.25F * static_cast<float>((i + static_cast<std::size_t>(seed)) % 7 + 1);
        }
    }
    return weights;
}

Network network_with_weights(const std::string& name, Graph graph) {
    Network network{.name = name, .graph = std::move(graph)};
    for (Node& node : network.graph.nodes) {
        node.layer.layout = Layout::channels_last;
        network.weights.push_back(counted_weights(node.layer, static_cast<int>(network.weights.size())));
    }
    return network;
}

Network read_again(const Network& network, std::int64_t opset = default_onnx_opset) {
    return import_onnx(onnx::read_bytes(onnx::to_bytes(export_onnx(network, opset)), network.name + ".onnx"),
                       network.name);
}

// "conv1: conv_i3x8x8_... -1 3", the sources as Graph::source_of().
std::vector<std::string> described(const Network& network) {
    std::vector<std::string> result;
    for (const Node& node : network.graph.nodes) {
        std::string text = node.name + ": " + node.layer.key();
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
            text += " " + std::to_string(network.graph.source_of(node, i));
        }
        result.push_back(text);
    }
    for (const TensorId output : network.graph.outputs) {
        result.push_back("output " + std::to_string(network.graph.tensors[output].producer));
    }
    for (const std::string& left_out : network.left_out) result.push_back("left out: " + left_out);
    return result;
}

void expect_same(const Network& found, const Network& network, const std::string& what) {
    ASSERT_EQ(described(found), described(network)) << what;
    for (std::size_t i = 0; i < network.weights.size(); ++i) {
        const LayerWeights& a = found.weights[i];
        const LayerWeights& b = network.weights[i];
        EXPECT_TRUE(a.weights == b.weights && a.bias == b.bias && a.weights2 == b.weights2 &&
                    a.bias2 == b.bias2)
            << what << " " << network.graph.nodes[i].name;
    }
}

// Whether both compute the same of the same inputs.
void expect_same_outputs(const Network& found, const Network& network, const std::string& what) {
    const auto inputs = random_inputs(network.graph, 1, 3);
    const auto expected = reference_graph(network.graph, 1, inputs, network.weights);
    const auto outputs = reference_graph(found.graph, 1, inputs, found.weights);
    ASSERT_EQ(outputs.size(), expected.size()) << what;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::vector<float> rounded(outputs[i].begin(), outputs[i].end());
        EXPECT_LT(relative_error(rounded, expected[i]), 1e-5) << what;
    }
}

bool has_norm_of_its_own(const Graph& graph) {
    return std::ranges::any_of(graph.nodes,
                               [](const Node& node) { return node.layer.kind == LayerKind::scale_shift; });
}

TEST(OnnxExport, TheZooIsTheSameWhenItIsReadAgain) {
    constexpr std::int64_t max_params = 5'000'000;
    int networks = 0;
    for (const std::string& name : zoo_names()) {
        Graph graph = lower(find_model(name));
        if (graph.params() > max_params || has_norm_of_its_own(graph)) continue;
        const Network network = network_with_weights(name, std::move(graph));
        expect_same(read_again(network, all_opsets[static_cast<std::size_t>(networks) % all_opsets.size()]),
                    network, name);
        ++networks;
    }
    EXPECT_GT(networks, 20);
}

// The first norm has a conv before it that nobody else reads, and is folded into that; then nothing is left to fold.
TEST(OnnxExport, PreActivationNetworksComputeTheSame) {
    ModelSpec model = find_model("wrn-16-4-cifar");
    model.resolution = 8;
    const Network network = network_with_weights("wrn", lower(model));
    const Network once = read_again(network);
    EXPECT_EQ(once.graph.nodes.size() + 1, network.graph.nodes.size());
    expect_same(read_again(once), once, "wrn");
}

TEST(OnnxExport, GeneratedModelsComputeTheSameAndStayTheSame) {
    testing::Generator generator(11);
    int models = 0;
    for (int i = 0; i < 1000 && models < 20; ++i) {
        const ModelSpec model = generator.model();
        Graph graph;
        try {
            graph = lower(model);
        } catch (const InputError&) {
            continue;  // a map shrunk to nothing
        }
        if (graph.macs() > 1'000'000) continue;
        Network network{.name = model.name, .graph = std::move(graph)};
        network.graph.set_layout(Layout::channels_last);
        network.weights = random_weights(network.graph, 5);
        const std::int64_t opset = all_opsets[static_cast<std::size_t>(models) % all_opsets.size()];
        const std::string what = std::to_string(i) + " in opset " + std::to_string(opset);
        const Network once = read_again(network, opset);
        expect_same_outputs(once, network, what);
        expect_same(read_again(once, opset), once, what);
        if (!has_norm_of_its_own(network.graph)) expect_same(once, network, what);
        ++models;
    }
    EXPECT_EQ(models, 20);
}

// What ONNX says in another way, or not at all: a window over the whole map is a pool of the map, all channels of a slice are its
// input, a map grows by whole factors in one way, and blocks of unequal height and width are no layer.
bool has_another_form(const LayerSpec& layer) {
    const bool over_map = layer.window.kernel == std::array{layer.in_height, layer.in_width};
    switch (layer.kind) {
        case LayerKind::avg_pool:
            return over_map || layer.window.taps() == 1;
        case LayerKind::slice:
            return layer.out_channels == layer.in_channels;
        case LayerKind::layer_norm:
        case LayerKind::group_norm:
            return layer.mode != Mode::plain;
        case LayerKind::squeeze_excite:
        case LayerKind::eca:  // a gate of one pixel is a product of two tensors of one shape
            return layer.in_height * layer.in_width == 1;
        case LayerKind::add:
        case LayerKind::multiply:
            return spread_of(layer.mode) == Spread::pixels && layer.in_height * layer.in_width == 1;
        case LayerKind::permute: {
            const bool apart = layer.mode == Mode::order_cwh || layer.mode == Mode::order_hcw ||
                               layer.mode == Mode::order_whc;
            return !apart || layer.groups > 1 ||
                   std::min({layer.in_channels, layer.in_height, layer.in_width}) == 1;
        }
        case LayerKind::matmul:
            return layer.mode != Mode::plain ||
                   std::min({layer.in_channels, layer.in_height, layer.in_width, layer.size[1]}) == 1;
        case LayerKind::softmax:
        case LayerKind::map_bias:
        case LayerKind::map_scale:
            return std::min({layer.in_channels, layer.in_height, layer.in_width}) == 1;
        case LayerKind::resize:
            return layer.size[0] % layer.in_height == 0 && layer.size[1] % layer.in_width == 0;
        case LayerKind::pixel_shuffle:
        case LayerKind::space_to_depth:
            return layer.window.strides[0] != layer.window.strides[1];
        default:
            return false;
    }
}

TEST(OnnxExport, LayersOfEveryKindAreTheSameInEveryOpset) {
    testing::Generator generator(7);
    std::map<LayerKind, int> same;
    for (int i = 0; i < 1200; ++i) {
        LayerSpec layer = generator.layer();
        layer.layout = Layout::channels_last;
        if (layer.kind == LayerKind::max_pool || layer.kind == LayerKind::global_avg_pool) {
            layer.activation = Activation::none;  // nothing computes one behind a pool
            layer.alpha = 0.0F;
        }
        const std::int64_t opset = all_opsets[static_cast<std::size_t>(i) % all_opsets.size()];
        const std::string what = layer.key() + " in opset " + std::to_string(opset);
        const Network network = network_with_weights("layer", single_layer(layer));
        Network found;
        try {
            found = read_again(network, opset);
        } catch (const InputError& error) {
            if (has_another_form(layer)) continue;
            EXPECT_LT(opset, 11) << what << ": " << error.what();
            EXPECT_TRUE(layer.kind == LayerKind::resize || layer.kind == LayerKind::max_pool) << error.what();
            EXPECT_THAT(error.what(), HasSubstr("export with opset 1"));
            continue;
        }
        if (has_another_form(layer)) {
            const bool small = MapSize{layer.in_channels, layer.in_height, layer.in_width}.elements() < 4096;
            if (small && layer.kind > LayerKind::transposed_conv) expect_same_outputs(found, network, what);
            continue;
        }
        ++same[layer.kind];
        ASSERT_EQ(found.graph.nodes.size(), 1U) << what;
        EXPECT_EQ(found.graph.nodes.front().layer.key(), layer.key());
        EXPECT_TRUE(found.left_out.empty()) << what;
    }
    EXPECT_EQ(same.size(), all_operators().size());
}

TEST(OnnxExport, GraphsOfSeveralInputsAndOutputsAreTheSame) {
    for (testing::NamedGraph& graph : testing::small_graphs(Layout::channels_last)) {
        const Network network = network_with_weights(graph.name, std::move(graph.graph));
        const Network once = read_again(network);
        expect_same_outputs(once, network, network.name);
        expect_same(read_again(once), once, network.name);
    }
}

TEST(OnnxExport, NamesAreThoseOfTheModules) {
    testing::GraphBuilder builder(Layout::channels_last);
    const TensorId image = builder.input(3, 8, 8);
    const TensorId map =
        builder.squeeze_excite(builder.conv(image, {.width = 8, .activation = Activation::silu}));
    const TensorId scores = builder.linear(builder.global_avg_pool(map), 5);
    Graph graph = builder.named("net", {scores}).graph;
    const std::vector<std::string> names{"features.0.0", "features.0.1.se", "/avgpool/GlobalAveragePool",
                                         "fc"};
    for (std::size_t i = 0; i < names.size(); ++i) graph.nodes[i].name = names[i];
    const Network network = network_with_weights("net", std::move(graph));
    const onnx::Model model = export_onnx(network);

    std::vector<std::string> tensors;
    for (const onnx::Tensor& tensor : model.graph.initializers) tensors.push_back(tensor.name);
    EXPECT_THAT(tensors,
                ElementsAre("features.0.0.weight", "features.0.0.bias", "features.0.1.se.squeeze.weight",
                            "features.0.1.se.squeeze.bias", "features.0.1.se.excite.weight",
                            "features.0.1.se.excite.bias", "fc.weight", "fc.bias"));
    std::vector<std::string> nodes;
    for (const onnx::Node& node : model.graph.nodes) nodes.push_back(node.name);
    EXPECT_THAT(nodes, IsSupersetOf({"features.0.0", "/avgpool/GlobalAveragePool", "fc"}));
    const onnx::ValueInfo& input = model.graph.inputs.front();
    const onnx::ValueInfo& output = model.graph.outputs.front();
    EXPECT_EQ(input.name, "input");
    EXPECT_EQ(output.name, "output");
    EXPECT_EQ(input.shape->front().symbol, "batch");
    EXPECT_EQ(output.shape->size(), 2U);  // scores are N x C
    EXPECT_EQ(described(read_again(network)), described(network));
}

TEST(OnnxExport, InputsAndOutputsKeepTheirNames) {
    onnx::Model file = onnx::conv_model();
    file.graph.inputs.front().name = file.graph.nodes.front().inputs.front() = "pixel_values";
    file.graph.outputs.front().name = file.graph.nodes.back().outputs.front() = "logits";
    const Network network = import_onnx(std::move(file), "net");
    const onnx::Model model = export_onnx(network);
    EXPECT_EQ(model.graph.inputs.front().name, "pixel_values");
    EXPECT_EQ(model.graph.outputs.front().name, "logits");
}

// A classifier without a linear layer ends with a map of one pixel, flattened or not.
TEST(OnnxExport, OutputsKeepTheirAxes) {
    const auto axes_of = [](std::vector<onnx::Node> nodes) {
        const Network network = import_onnx(
            onnx::model_of({1, 4, 6, 6}, std::move(nodes), {onnx::weights("w", {10, 4, 1, 1})}), "net");
        const onnx::Model model = export_onnx(network);
        EXPECT_EQ(described(read_again(network)), described(network));
        return model.graph.outputs.front().shape->size();
    };
    const onnx::Node conv = onnx::node("Conv", {"x", "w"}, {"c"});
    EXPECT_EQ(axes_of({conv, onnx::node("GlobalAveragePool", {"c"}, {"y"})}), 4U);
    EXPECT_EQ(
        axes_of({conv, onnx::node("GlobalAveragePool", {"c"}, {"p"}), onnx::node("Flatten", {"p"}, {"y"})}),
        2U);
}

TEST(OnnxExport, WeightsThatLayersShareAreWrittenOnce) {
    testing::GraphBuilder builder(Layout::channels_last);
    const TensorId image = builder.input(4, 8, 8);
    const TensorId once = builder.conv(image, {.width = 4, .kernel = 3});
    Graph graph = builder.named("heads", {builder.conv(once, {.width = 4, .kernel = 3})}).graph;
    graph.nodes[0].name = "head.conv";
    graph.nodes[1].name = "head.conv#2";
    Network network = network_with_weights("heads", std::move(graph));
    EXPECT_EQ(export_onnx(network).graph.initializers.size(), 4U);
    network.weights[1] = network.weights[0];
    EXPECT_EQ(export_onnx(network).graph.initializers.size(), 2U);
    const Network found = read_again(network);
    expect_same(found, network, "heads");
    EXPECT_EQ(found.graph.params(), 4 * 4 * 9 + 4);
}

TEST(OnnxExport, RefusesOpsetsAndWhatTheyLack) {
    const auto refusal = [](const LayerSpec& layer, std::int64_t opset) -> std::string {
        try {
            read_again(network_with_weights("net", single_layer(layer)), opset);
            return "accepted";
        } catch (const InputError& error) {
            return error.what();
        }
    };
    const LayerSpec pool = LayerSpec::from_key("max_pool_i4x9x9_k3_s1_p0_d2");
    EXPECT_THAT(refusal(pool, 9), AllOf(HasSubstr("(max_pool)"), HasSubstr("MaxPool with dilations"),
                                        HasSubstr("opset 9"), HasSubstr("opset 10 or later")));
    EXPECT_EQ(refusal(pool, 10), "accepted");
    const LayerSpec resize = LayerSpec::from_key("resize_i4x9x9_t18_bilinear");
    EXPECT_THAT(refusal(resize, 10), AllOf(HasSubstr("bilinear"), HasSubstr("opset 11 or later")));
    EXPECT_EQ(refusal(resize, 11), "accepted");
    for (const std::int64_t opset : {0, 8, 22}) EXPECT_THAT(refusal(pool, opset), HasSubstr("opset 9 to 21"));
}

// onnx.proto: an input with an empty name is left out, which Resize allows since opset 13.
TEST(OnnxExport, AResizeOfOldOpsetsHasAllItsInputs) {
    for (const std::string key : {"resize_i2x3x3_t6_nearest", "resize_i2x3x3_t7_bilinear"}) {
        const Network network = network_with_weights("net", single_layer(LayerSpec::from_key(key)));
        for (const std::int64_t opset : {11, 12, 13}) {
            const onnx::Model model = export_onnx(network, opset);
            const auto absent = std::ranges::count(model.graph.nodes.back().inputs, "");
            EXPECT_EQ(absent > 0, opset == 13) << key << " " << opset;
            expect_same(read_again(network, opset), network, key);
        }
    }
}

TEST(OnnxExport, LargeWeightsGoIntoASecondFile) {
    const testing::TempFolder folder;
    const Network network = network_with_weights("resnet8", lower(find_model("resnet8-cifar")));
    const std::filesystem::path file = folder.path() / "net.onnx";
    onnx::write_file(export_onnx(network), file);
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "net.onnx.data"));
    const auto whole = std::filesystem::file_size(file);
    onnx::write_file(export_onnx(network), file, 1000);
    EXPECT_LT(std::filesystem::file_size(file), whole / 10);
    EXPECT_GE(std::filesystem::file_size(folder.path() / "net.onnx.data"), whole * 9 / 10);
    expect_same(import_onnx(file), network, "resnet8");
    EXPECT_THROW(onnx::write_file(export_onnx(network), folder.path() / "none" / "net.onnx"), WorkError);
    // What is there stays where a file cannot be written.
    std::filesystem::create_directory(folder.path() / "net.onnx.part");
    EXPECT_THROW(onnx::write_file(export_onnx(network), file), WorkError);
    expect_same(import_onnx(file), network, "resnet8");
}

}  // namespace
}  // namespace hacscale
