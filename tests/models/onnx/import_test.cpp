// ONNX models as networks: which layers nodes become, what is fused, whose numbers a layer has, what is left out.
#include "models/formats/onnx_import/onnx_import.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor numbers(const std::string& name, Ints dims, std::uint64_t seed) {
    std::int64_t count = 1;
    for (const std::int64_t size : dims) count *= size;
    std::vector<float> values = random_values(static_cast<std::size_t>(count), seed);
    return tensor_of(name, std::move(dims), values);
}

// Above zero, as variances are.
Tensor variances(const std::string& name, std::int64_t count, std::uint64_t seed) {
    std::vector<float> values = random_values(static_cast<std::size_t>(count), seed);
    for (float& value : values) value = 0.5F + std::fabs(value);
    return tensor_of(name, {count}, values);
}

std::vector<std::string> keys(const Network& network) {
    std::vector<std::string> result;
    for (const hacscale::Node& node : network.graph.nodes) result.push_back(node.layer.key());
    return result;
}

std::vector<std::string> names(const Network& network) {
    std::vector<std::string> result;
    for (const hacscale::Node& node : network.graph.nodes) result.push_back(node.name);
    return result;
}

Network imported(Model model) {
    Network network = import_onnx(std::move(model), "net");
    EXPECT_EQ(validate(network.graph), std::nullopt);
    EXPECT_EQ(network.weights.size(), network.graph.nodes.size());
    // Tables tell layers apart by their keys: what a kind does not use has its default.
    for (const hacscale::Node& node : network.graph.nodes) {
        EXPECT_EQ(LayerSpec::from_key(node.layer.key()), node.layer) << node.layer.key();
    }
    return network;
}

const Attributes padded_by_one{{"pads", Ints{1, 1, 1, 1}}};

// A basic block as PyTorch exports it with batch-norms: conv, norm, relu, conv, norm, add, relu.
Model basic_block() {
    std::vector<Tensor> constants;
    for (const char* conv : {"block.conv1", "block.conv2"}) {
        constants.push_back(numbers(std::string(conv) + ".weight", {4, 4, 3, 3}, 1));
    }
    for (const char* norm : {"block.bn1", "block.bn2"}) {
        const std::string prefix = norm;
        constants.push_back(numbers(prefix + ".weight", {4}, 2));
        constants.push_back(numbers(prefix + ".bias", {4}, 3));
        constants.push_back(numbers(prefix + ".running_mean", {4}, 4));
        constants.push_back(variances(prefix + ".running_var", 4, 5));
    }
    const auto norm = [](const std::string& name, const std::string& in, const std::string& out) {
        return node("BatchNormalization",
                    {in, name + ".weight", name + ".bias", name + ".running_mean", name + ".running_var"},
                    {out});
    };
    return model_of(
        {1, 4, 6, 6},
        {node("Conv", {"x", "block.conv1.weight"}, {"a"}, padded_by_one), norm("block.bn1", "a", "b"),
         node("Relu", {"b"}, {"c"}), node("Conv", {"c", "block.conv2.weight"}, {"d"}, padded_by_one),
         norm("block.bn2", "d", "e"), node("Add", {"e", "x"}, {"f"}), node("Relu", {"f"}, {"y"})},
        std::move(constants));
}

TEST(OnnxImport, ABasicBlockIsTwoConvs) {
    const Network network = imported(basic_block());
    EXPECT_THAT(keys(network), ElementsAre("conv_i4x6x6_o4_k3_s1_p1_g1_bias_relu",
                                           "conv_i4x6x6_o4_k3_s1_p1_g1_bias_add_relu"));
    EXPECT_THAT(names(network), ElementsAre("block.conv1", "block.conv2"));
    // Weights, and batch-norms' scales and shifts: running means are not learned.
    EXPECT_EQ(network.graph.params(), 2 * (4 * 4 * 9 + 2 * 4));
    EXPECT_TRUE(network.left_out.empty());
}

TEST(OnnxImport, ABatchNormIsFoldedWithItsEpsilon) {
    const float epsilon = 1e-2F;
    const Network network = imported(model_of(
        {1, 1, 1, 1},
        {node("Conv", {"x", "w", "b"}, {"a"}),
         node("BatchNormalization", {"a", "scale", "shift", "mean", "variance"}, {"y"},
              {{"epsilon", epsilon}})},
        {tensor_of("w", {1, 1, 1, 1}, std::vector<float>{3.0F}),
         tensor_of("b", {1}, std::vector<float>{0.5F}), tensor_of("scale", {1}, std::vector<float>{2.0F}),
         tensor_of("shift", {1}, std::vector<float>{-1.0F}),
         tensor_of("mean", {1}, std::vector<float>{0.25F}),
         tensor_of("variance", {1}, std::vector<float>{1e-4F})}));
    const double factor = 2.0 / std::sqrt(1e-4 + epsilon);
    EXPECT_NEAR(network.weights[0].weights[0], 3.0 * factor, 1e-4);
    EXPECT_NEAR(network.weights[0].bias[0], (0.5 - 0.25) * factor - 1.0, 1e-4);
}

// A value that is an output of the network cannot be fused away: the same network unfused.
Model with_every_value_as_output(Model model) {
    Graph& graph = model.graph;
    graph.outputs.clear();
    for (const Node& each : graph.nodes) {
        graph.outputs.push_back(
            {.name = each.outputs.front(), .type = DataType::float32, .shape = std::nullopt});
    }
    return model;
}

// Chains of convs, norms, scales, activations and adds over maps of one size.
Model random_model(std::mt19937_64& random) {
    const auto one_of = [&random](int count) {
        return static_cast<int>(random() % static_cast<unsigned>(count));
    };
    std::vector<Node> nodes;
    std::vector<Tensor> constants;
    std::vector<std::string> values{"x"};
    const int count = 3 + one_of(10);
    for (int i = 0; i < count; ++i) {
        const std::string in = one_of(3) == 0 ? values[random() % values.size()] : values.back();
        const std::string out = i + 1 == count ? "y" : "v" + std::to_string(i);
        const std::string c = "c" + std::to_string(i);
        switch (one_of(7)) {
            case 0:
            case 1:
                constants.push_back(numbers(c, {4, 4, 3, 3}, random()));
                nodes.push_back(node("Conv", {in, c}, {out}, padded_by_one));
                break;
            case 2:
                constants.push_back(numbers(c + "s", {4}, random()));
                constants.push_back(numbers(c + "b", {4}, random()));
                constants.push_back(numbers(c + "m", {4}, random()));
                constants.push_back(variances(c + "v", 4, random()));
                nodes.push_back(node("BatchNormalization", {in, c + "s", c + "b", c + "m", c + "v"}, {out}));
                break;
            case 3:
                nodes.push_back(node(one_of(2) == 0 ? "Relu" : "Sigmoid", {in}, {out}));
                break;
            case 4:
                constants.push_back(numbers(c, {1, 4, 1, 1}, random()));
                nodes.push_back(node(one_of(2) == 0 ? "Mul" : "Add", {in, c}, {out}));
                break;
            default:
                nodes.push_back(node("Add", {in, values[random() % values.size()]}, {out}));
                break;
        }
        values.push_back(out);
    }
    return model_of({1, 4, 5, 5}, std::move(nodes), std::move(constants));
}

TEST(OnnxImport, FusedNetworksComputeWhatUnfusedOnesDo) {
    std::mt19937_64 random(17);
    std::size_t fused_away = 0;
    for (int round = 0; round < 300; ++round) {
        const Model model = random_model(random);
        const Network fused = imported(model);
        const Network unfused = imported(with_every_value_as_output(model));
        fused_away += unfused.graph.nodes.size() - fused.graph.nodes.size();
        const auto inputs = random_inputs(fused.graph, 1, 3);
        const auto got = reference_graph(fused.graph, 1, inputs, fused.weights).front();
        const auto expected = reference_graph(unfused.graph, 1, inputs, unfused.weights).back();
        ASSERT_EQ(got.size(), expected.size());
        double largest = 1e-3;
        for (const double value : expected) largest = std::max(largest, std::fabs(value));
        for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_NEAR(got[i], expected[i], 1e-5 * largest) << "round " << round;
        }
    }
    EXPECT_GT(fused_away, 300U);
}

TEST(OnnxImport, ASqueezeExciteIsOneLayer) {
    const Network network =
        imported(model_of({1, 8, 5, 5},
                          {node("GlobalAveragePool", {"x"}, {"mean"}),
                           node("Conv", {"mean", "se.fc1.weight", "se.fc1.bias"}, {"a"}),
                           node("Relu", {"a"}, {"b"}), node("Conv", {"b", "se.fc2.weight"}, {"c"}),
                           node("Sigmoid", {"c"}, {"gate"}), node("Mul", {"x", "gate"}, {"y"})},
                          {numbers("se.fc1.weight", {2, 8, 1, 1}, 1), numbers("se.fc1.bias", {2}, 2),
                           numbers("se.fc2.weight", {8, 2, 1, 1}, 3)}));
    EXPECT_THAT(keys(network), ElementsAre("squeeze_excite_i8x5x5_r2_relu_sigmoid"));
    EXPECT_THAT(names(network), ElementsAre("se"));
    EXPECT_EQ(network.graph.params(), 2 * 8 + 2 + 8 * 2);
    EXPECT_THAT(network.weights[0].bias2, ::testing::Each(0.0F));
}

TEST(OnnxImport, ALinearLayerReadsAFlattenedMap) {
    const Network network =
        imported(model_of({1, 3, 4, 2},
                          {node("Flatten", {"x"}, {"flat"}), node("Gemm", {"flat", "fc.weight", "fc.bias"},
                                                                  {"y"}, {{"transB", std::int64_t{1}}})},
                          {numbers("fc.weight", {5, 24}, 1), numbers("fc.bias", {5}, 2)}));
    EXPECT_THAT(keys(network), ElementsAre("linear_i3x4x2_o5_bias"));
    EXPECT_THAT(names(network), ElementsAre("fc"));
}

TEST(OnnxImport, ADifferenceIsASumWithTheNegative) {
    const Network network = imported(
        model_of({1, 4, 6, 6},
                 {node("MaxPool", {"x"}, {"a"}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}}),
                  node("Sub", {"a", "x"}, {"y"})}));
    const auto inputs = random_inputs(network.graph, 1, 5);
    const auto got = reference_graph(network.graph, 1, inputs, network.weights).front();
    const Network pool = imported(model_of(
        {1, 4, 6, 6},
        {node("MaxPool", {"x"}, {"y"}, {{"kernel_shape", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}})}));
    const auto pooled = reference_graph(pool.graph, 1, inputs, pool.weights).front();
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], pooled[i] - inputs[0][i], 1e-6);
}

TEST(OnnxImport, ALayerNormOfVectorsIsOverTheirChannels) {
    const Network network =
        imported(model_of({1, 6}, {node("LayerNormalization", {"x", "n.weight", "n.bias"}, {"y"})},
                          {numbers("n.weight", {6}, 1), numbers("n.bias", {6}, 2)}));
    ASSERT_EQ(network.graph.nodes.size(), 1U);
    EXPECT_EQ(network.graph.nodes[0].layer.kind, LayerKind::layer_norm);
}

TEST(OnnxImport, AnInputOfNoDimensionsIsNoMap) {
    EXPECT_THROW(import_onnx(model_of({}, {node("Relu", {"x"}, {"y"})}), "net"), InputError);
}

TEST(OnnxImport, SharedWeightsAreCountedOnce) {
    const Network network =
        imported(model_of({1, 4, 6, 6},
                          {node("Conv", {"x", "w"}, {"a"}, padded_by_one), node("Relu", {"a"}, {"b"}),
                           node("Conv", {"b", "w"}, {"y"}, padded_by_one)},
                          {numbers("w", {4, 4, 3, 3}, 1)}));
    EXPECT_EQ(network.graph.nodes.size(), 2U);
    EXPECT_EQ(network.graph.params(), 4 * 4 * 9);
}

TEST(OnnxImport, ANodeWithoutALayerIsLeftOutAndTheRestStays) {
    const Network network =
        imported(model_of({1, 4, 6, 6},
                          {node("Conv", {"x", "w"}, {"a"}, padded_by_one), node("Sin", {"a"}, {"b"}),
                           node("Conv", {"b", "w"}, {"y"}, padded_by_one)},
                          {numbers("w", {4, 4, 3, 3}, 1)}));
    EXPECT_EQ(network.graph.nodes.size(), 2U);
    EXPECT_EQ(network.graph.inputs.size(), 2U);
    EXPECT_EQ(network.graph.outputs.size(), 2U);
    ASSERT_EQ(network.left_out.size(), 1U);
    EXPECT_THAT(network.left_out.front(), AllOf(HasSubstr("(Sin)"), HasSubstr("no layer for this operator")));
    EXPECT_EQ(network.left_out_macs, 0);
    EXPECT_EQ(network.left_out_elements, 4 * 6 * 6);
}

TEST(OnnxImport, MultipliesOfNodesWithoutALayerAreCounted) {
    const Network network = imported(model_of(
        {1, 2, 3, 6, 6},
        {node("Conv", {"x", "w"}, {"a"}), node("Reshape", {"a", "map"}, {"b"}), node("Relu", {"b"}, {"y"})},
        {numbers("w", {4, 2, 3, 3, 3}, 1), integers("map", {1, 4, 4, 4})}));
    ASSERT_EQ(network.left_out.size(), 1U);
    EXPECT_THAT(network.left_out.front(), HasSubstr("(Conv)"));
    EXPECT_EQ(network.left_out_macs, 4 * 4 * 4 * 2 * 3 * 3 * 3);
}

TEST(OnnxImport, AModelWithoutLayersIsRefused) {
    try {
        imported(model_of({1, 4, 6, 6}, {node("Sin", {"x"}, {"y"})}));
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("no node is a layer"), HasSubstr("(Sin)")));
    }
}

// Attention of two heads over the pixels of a map, as exporters write it: products of heads, a scale, a learned bias, shares.
Model attention() {
    std::vector<Node> nodes{
        node("Conv", {"x", "qkv.weight"}, {"qkv"}),
        node("Reshape", {"qkv", "heads"}, {"h"}),
        node("Transpose", {"h"}, {"t"}, {{"perm", Ints{0, 1, 3, 2}}}),
        node("Split", {"t", "parts"}, {"q", "k", "v"}, {{"axis", std::int64_t{3}}}),
        node("Transpose", {"k"}, {"kt"}, {{"perm", Ints{0, 1, 3, 2}}}),
        node("MatMul", {"q", "kt"}, {"shares"}),
        node("Mul", {"shares", "scale"}, {"scaled"}),
        node("Add", {"scaled", "attn.bias"}, {"biased"}),
        node("Softmax", {"biased"}, {"p"}, {{"axis", std::int64_t{-1}}}),
        node("MatMul", {"p", "v"}, {"mixed"}),
        node("Transpose", {"mixed"}, {"back"}, {{"perm", Ints{0, 1, 3, 2}}}),
        node("Reshape", {"back", "map"}, {"m"}),
        node("Conv", {"m", "proj.weight"}, {"y"}),
    };
    return model_of(
        {1, 6, 2, 3}, std::move(nodes),
        {numbers("qkv.weight", {24, 6, 1, 1}, 1), numbers("proj.weight", {6, 8, 1, 1}, 2),
         numbers("attn.bias", {1, 2, 6, 6}, 3), scalar("scale", 0.5F), integers("heads", {1, 2, 12, 6}),
         integers("parts", {4, 4, 4}), integers("map", {1, 8, 2, 3})});
}

TEST(OnnxImport, AttentionIsReadWithoutMovesThatNobodyNeeds) {
    const Network network = imported(attention());
    EXPECT_TRUE(network.left_out.empty());
    EXPECT_THAT(keys(network),
                ElementsAre("conv_i6x2x3_o24_k1_s1_p0_g1", "reshape_i24x2x3_o2_t12x6",
                            "pad_i2x12x6_p0x0x-8x0", "pad_i2x12x6_p-4x0", "pad_i2x12x6_p-8x0x0x0",
                            "matmul_i2x4x6_n6_transpose_first", "scale_shift_i2x6x6", "map_bias_i2x6x6",
                            "softmax_i2x6x6_over_width", "matmul_i2x4x6_n6_transpose_second",
                            "reshape_i2x4x6_o8_t2x3", "conv_i8x2x3_o6_k1_s1_p0_g1"));
    EXPECT_EQ(network.graph.params(), 24 * 6 + 6 * 8 + 2 * 6 * 6);
}

TEST(OnnxImport, RowsOfTokensAreMapsWhoseChannelsAreTheFeatures) {
    const Network network = imported(model_of(
        {1, 4, 2, 3},
        {node("Reshape", {"x", "tokens"}, {"r"}), node("Transpose", {"r"}, {"t"}, {{"perm", Ints{0, 2, 1}}}),
         node("LayerNormalization", {"t", "n.weight", "n.bias"}, {"n"}),
         node("MatMul", {"n", "fc.weight"}, {"f"}), node("Add", {"f", "fc.bias"}, {"b"}),
         node("Add", {"b", "t"}, {"s"}), node("Transpose", {"s"}, {"u"}, {{"perm", Ints{0, 2, 1}}}),
         node("Reshape", {"u", "map"}, {"y"})},
        {numbers("n.weight", {4}, 1), numbers("n.bias", {4}, 2), numbers("fc.weight", {4, 4}, 3),
         numbers("fc.bias", {4}, 4), integers("tokens", {1, 4, 6}), integers("map", {1, 4, 2, 3})}));
    EXPECT_THAT(keys(network),
                ElementsAre("layer_norm_i4x2x3_e1e-05", "conv_i4x2x3_o4_k1_s1_p0_g1_bias_add"));
}

TEST(OnnxImport, HeadsOfDetectorsAreRowsOfAnchors) {
    const Network network = imported(model_of(
        {1, 3, 2, 2},
        {node("Conv", {"x", "w"}, {"c"}), node("Reshape", {"c", "anchors"}, {"a"}),
         node("Transpose", {"a"}, {"t"}, {{"perm", Ints{0, 3, 4, 1, 2}}}),
         node("Reshape", {"t", "rows"}, {"r"}),
         node("Concat", {"r", "r"}, {"y"}, {{"axis", std::int64_t{1}}})},
        {numbers("w", {8, 3, 1, 1}, 1), integers("anchors", {1, 2, 4, 2, 2}), integers("rows", {1, -1, 4})}));
    EXPECT_THAT(keys(network),
                ElementsAre("conv_i3x2x2_o8_k1_s1_p0_g1", "reshape_i8x2x2_o8_t4x1", "permute_i8x4x1_g1_hcw",
                            "reshape_i4x8x1_o8_t1x4", "concat_i16x1x4_n2"));
    EXPECT_THAT(network.output_names, ElementsAre("y"));
}

TEST(OnnxImport, ADivisionByTheNormIsANormWithoutMean) {
    const Network network = imported(
        model_of({1, 4, 2, 3},
                 {node("ReduceL2", {"x"}, {"n"}, {{"axes", Ints{1}}}), node("Clip", {"n", "least"}, {"c"}),
                  node("Div", {"x", "c"}, {"d"}), node("Mul", {"scale", "d"}, {"y"})},
                 {scalar("least", 1e-6F), numbers("scale", {1, 4, 1, 1}, 1)}));
    ASSERT_EQ(network.graph.nodes.size(), 1U);
    const auto inputs = random_inputs(network.graph, 1, 5);
    const auto got = reference_graph(network.graph, 1, inputs, network.weights).front();
    const std::vector<float> scale = numbers("scale", {1, 4, 1, 1}, 1).floats();
    for (std::size_t pixel = 0; pixel < 6; ++pixel) {
        double squares = 0.0;
        for (std::size_t c = 0; c < 4; ++c) squares += std::pow(inputs[0][c * 6 + pixel], 2);
        for (std::size_t c = 0; c < 4; ++c) {
            EXPECT_NEAR(got[c * 6 + pixel], inputs[0][c * 6 + pixel] / std::sqrt(squares) * scale[c], 1e-5);
        }
    }
}

TEST(OnnxImport, EachOperatorBecomesItsLayer) {
    struct Case {
        Node node;
        Ints input;
        std::string key;
    };
    const std::vector<Case> cases{
        {node("MaxPool", {"x"}, {"y"},
              {{"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}),
         {1, 4, 8, 8},
         "max_pool_i4x8x8_k3_s2_p1"},
        {node("AveragePool", {"x"}, {"y"}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}}),
         {1, 4, 8, 8},
         "avg_pool_i4x8x8_k2_s2_p0"},
        {node("GlobalMaxPool", {"x"}, {"y"}), {1, 4, 8, 6}, "max_pool_i4x8x6_k8x6_s1_p0"},
        {node("LeakyRelu", {"x"}, {"y"}, {{"alpha", 0.1F}}),
         {1, 4, 8, 8},
         "activation_i4x8x8_leaky_relu_a0.1"},
        {node("Slice", {"x", "starts", "ends", "axes"}, {"y"}), {1, 4, 8, 8}, "slice_i4x8x8_o2_f1"},
        {node("DepthToSpace", {"x"}, {"y"}, {{"blocksize", std::int64_t{2}}, {"mode", std::string("CRD")}}),
         {1, 4, 8, 8},
         "pixel_shuffle_i4x8x8_s2_channels_first"},
    };
    for (const Case& each : cases) {
        const Network network =
            imported(model_of(each.input, {each.node},
                              {tensor_of("starts", {1}, Ints{1}), tensor_of("ends", {1}, Ints{3}),
                               tensor_of("axes", {1}, Ints{1})}));
        EXPECT_THAT(keys(network), ElementsAre(each.key));
    }
}

// PyTorch's TorchScript exporter numbers the weights of convs that it folded a batch-norm into; the path of the node still
// says whose they are.
TEST(OnnxImport, LayersWithNumberedWeightsAreNamedByTheirNodesPath) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"/conv1/Conv", "conv1"},
        {"/layer1/layer1.0/conv2/Conv", "layer1.0.conv2"},
        {"/features/features.1/conv/conv.0/conv.0.0/Conv", "features.1.conv.0.0"},
        {"/head/cls/cls.0_1/Conv", "head.cls.0_1"},  // called a second time
        {"/Conv", "/Conv"},
        {"Conv_12", "Conv_12"}};
    for (const auto& [path, module] : cases) {
        Model model = model_of({1, 3, 8, 8}, {node("Conv", {"x", "onnx::Conv_193"}, {"y"})},
                               {weights("onnx::Conv_193", {8, 3, 3, 3})});
        model.graph.nodes.front().name = path;
        EXPECT_THAT(names(imported(model)), ElementsAre(module));
        model.graph.nodes.front().inputs[1] = model.graph.initializers.front().name = "its.own.weight";
        EXPECT_THAT(names(imported(model)), ElementsAre("its.own"));
    }
}

}  // namespace
}  // namespace hacscale::onnx
