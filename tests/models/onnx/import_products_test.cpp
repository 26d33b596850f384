// ONNX models that multiply along any axis of their values, or compute with images that they make: each output is compared with the
// sums written out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>

#include "base/error.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/graph/graph_values.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::ElementsAre;

// What the network computes of random inputs, and the first of these.
struct Computed {
    std::vector<float> x;
    std::vector<double> y;
};

Computed computed(Model model) {
    const Network network = import_onnx(std::move(model), "net");
    EXPECT_THAT(network.left_out, ::testing::IsEmpty());
    const auto inputs = random_inputs(network.graph, 1, 3);
    return {inputs.front(), reference_graph(network.graph, 1, inputs, network.weights).front()};
}

TEST(OnnxProducts, OfLettersAreMatricesInAnyOrder) {
    // x as h p i d and, transposed, as h j d q: batches, rows, columns, and what is summed, each elsewhere.
    const Computed result =
        computed(model_of({1, 4, 3, 5},
                          {node("Transpose", {"x"}, {"t"}, {{"perm", Ints{0, 1, 3, 2}}}),
                           node("Reshape", {"x", "whole"}, {"a"}), node("Reshape", {"t", "turned"}, {"b"}),
                           node("Einsum", {"a", "b"}, {"y"}, {{"equation", std::string("hid,hdj->jhi")}})},
                          {integers("whole", {4, 3, 5}), integers("turned", {4, 5, 3})}));
    ASSERT_EQ(result.y.size(), 36U);
    for (std::size_t j = 0; j < 3; ++j) {
        for (std::size_t h = 0; h < 4; ++h) {
            for (std::size_t i = 0; i < 3; ++i) {
                double sum = 0.0;
                for (std::size_t d = 0; d < 5; ++d) {
                    sum += static_cast<double>(result.x[(h * 3 + i) * 5 + d]) * result.x[(h * 3 + j) * 5 + d];
                }
                EXPECT_NEAR(result.y[(j * 4 + h) * 3 + i], sum, 1e-5);
            }
        }
    }
}

TEST(OnnxProducts, OfAConstantAndColumnsAreConvs) {
    const Tensor matrices = weights("m", {2, 1, 4, 3});
    const std::vector<float> numbers = matrices.floats();
    const Computed result =
        computed(model_of({1, 5, 3, 6}, {node("MatMul", {"m", "x"}, {"p"}), node("Relu", {"p"}, {"y"})},
                          {weights("m", {4, 3})}));
    const std::vector<float> one = weights("m", {4, 3}).floats();
    ASSERT_EQ(result.y.size(), 5U * 4 * 6);
    for (std::size_t c = 0; c < 5; ++c) {
        for (std::size_t m = 0; m < 4; ++m) {
            for (std::size_t n = 0; n < 6; ++n) {
                double sum = 0.0;
                for (std::size_t k = 0; k < 3; ++k)
                    sum += static_cast<double>(one[m * 3 + k]) * result.x[(c * 3 + k) * 6 + n];
                EXPECT_NEAR(result.y[(c * 4 + m) * 6 + n], std::max(sum, 0.0), 1e-5);
            }
        }
    }
    // Several matrices that meet the same columns.
    const Computed several =
        computed(model_of({1, 1, 3, 6}, {node("MatMul", {"m", "x"}, {"y"})}, {matrices}));
    ASSERT_EQ(several.y.size(), 2U * 4 * 6);
    for (std::size_t row = 0; row < 8; ++row) {
        for (std::size_t n = 0; n < 6; ++n) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 3; ++k)
                sum += static_cast<double>(numbers[row * 3 + k]) * several.x[k * 6 + n];
            EXPECT_NEAR(several.y[row * 6 + n], sum, 1e-5);
        }
    }
}

// Windows of a map that are images of a batch, as efficient attention has them.
TEST(OnnxProducts, ConvsOfImagesThatTheNetworkMakesHaveTheSameWeights) {
    for (const std::int64_t kernel : {1, 3}) {
        for (const std::int64_t groups : {1, 2}) {
            const Tensor filters = weights("w", {4, 2 / groups, kernel, kernel});
            const std::int64_t padding = kernel / 2;
            const Computed result = computed(model_of(
                {1, 6, 4, 4},
                {node("Reshape", {"x", "images"}, {"i"}),
                 node("Conv", {"i", "w", "b"}, {"c"}, {{"group", groups}, {"pads", Ints(4, padding)}}),
                 node("GlobalAveragePool", {"c"}, {"p"}), node("Sub", {"c", "p"}, {"s"}),
                 node("Reshape", {"s", "map"}, {"y"})},
                {integers("images", {3, 2, 4, 4}), integers("map", {1, 12, 4, 4}), filters,
                 weights("b", {4})}));
            const std::vector<float> taps = filters.floats();
            const std::vector<float> bias = weights("b", {4}).floats();
            ASSERT_EQ(result.y.size(), 12U * 16);
            const std::int64_t share = 2 / groups;
            for (std::int64_t image = 0; image < 3; ++image) {
                for (std::int64_t o = 0; o < 4; ++o) {
                    std::vector<double> sums;
                    for (std::int64_t at = 0; at < 16; ++at) {
                        double sum = bias[static_cast<std::size_t>(o)];
                        for (std::int64_t tap = 0; tap < share * kernel * kernel; ++tap) {
                            const std::int64_t row = at / 4 + tap / kernel % kernel - padding;
                            const std::int64_t column = at % 4 + tap % kernel - padding;
                            if (row < 0 || row > 3 || column < 0 || column > 3) continue;
                            const std::int64_t channel = o / (4 / groups) * share + tap / (kernel * kernel);
                            const std::int64_t from = ((image * 2 + channel) * 4 + row) * 4 + column;
                            sum += static_cast<double>(
                                       taps[static_cast<std::size_t>(o * share * kernel * kernel + tap)]) *
                                   result.x[static_cast<std::size_t>(from)];
                        }
                        sums.push_back(sum);
                    }
                    double mean = 0.0;
                    for (const double sum : sums) mean += sum / 16;
                    for (std::size_t at = 0; at < 16; ++at) {
                        EXPECT_NEAR(result.y[static_cast<std::size_t>(image * 4 + o) * 16 + at],
                                    sums[at] - mean, 1e-5);
                    }
                }
            }
        }
    }
}

TEST(OnnxProducts, SquaresNegativesAndTilesAreLayers) {
    const Computed result = computed(model_of(
        {1, 2, 1, 3},
        {node("Pow", {"x", "two"}, {"p"}), node("Neg", {"p"}, {"n"}), node("Tile", {"n", "repeats"}, {"y"})},
        {scalar("two", 2.0F), integers("repeats", {1, 2, 3, 2})}));
    ASSERT_EQ(result.y.size(), 4U * 3 * 6);
    for (std::size_t i = 0; i < result.y.size(); ++i) {
        const double x = result.x[i / 18 % 2 * 3 + i % 3];
        EXPECT_NEAR(result.y[i], -x * x, 1e-6);
    }
}

TEST(OnnxProducts, AnInverseRootOfTheMeanSquareIsANorm) {
    const Network network = import_onnx(
        model_of(
            {1, 4, 2, 3},
            {node("Mul", {"x", "x"}, {"q"}), node("ReduceMean", {"q"}, {"m"}, {{"axes", Ints{1}}}),
             node("Add", {"m", "e"}, {"a"}), node("Sqrt", {"a"}, {"r"}), node("Div", {"one", "r"}, {"i"}),
             node("Mul", {"x", "i"}, {"n"}), node("Mul", {"n", "norm.weight"}, {"y"})},
            {scalar("e", 1e-6F), scalar("one", 1.0F), weights("norm.weight", {4, 1, 1})}),
        "net");
    ASSERT_EQ(network.graph.nodes.size(), 1U);
    EXPECT_EQ(network.graph.nodes.front().layer.key(), "layer_norm_i4x2x3_e1e-06_root_mean_square");
}

// Nodes that write sqrt(var(x) + e) to `root`; the variance is of N elements where `share`, a constant of N / (N - 1), is named.
std::vector<Node> deviation_nodes(const std::string& x, const Ints& axes, const std::string& root,
                                  bool with_share) {
    return {node("ReduceMean", {x}, {"mean"}, {{"axes", axes}}),
            node("Sub", {x, "mean"}, {"centered"}),
            node("Mul", {"centered", "centered"}, {"squares"}),
            node("ReduceMean", {"squares"}, {"variance"}, {{"axes", axes}}),
            node(with_share ? "Mul" : "Identity",
                 with_share ? std::vector<std::string>{"variance", "share"}
                            : std::vector<std::string>{"variance"},
                 {"moment"}),
            node("Add", {"moment", "e"}, {"sum"}),
            node("Sqrt", {"sum"}, {root})};
}

double deviation(std::span<const double> x) {
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
    double squares = 0.0;
    for (const double value : x) squares += (value - mean) * (value - mean);
    return std::sqrt(squares / static_cast<double>(x.size()));
}

TEST(OnnxProducts, ADivisionByADeviationKeepsTheMean) {
    std::vector<Node> nodes = deviation_nodes("x", {1}, "r", /*with_share=*/true);
    nodes.push_back(node("Div", {"x", "r"}, {"q"}));
    nodes.push_back(node("Mul", {"q", "norm.weight"}, {"y"}));
    const std::vector<Tensor> constants{scalar("e", 1e-3F), scalar("share", 4.0F / 3.0F),
                                        weights("norm.weight", {4, 1, 1})};
    const Model model = model_of({1, 4, 2, 3}, nodes, constants);
    const LayerSpec layer = import_onnx(model, "net").graph.nodes.at(0).layer;
    EXPECT_EQ(layer.kind, LayerKind::layer_norm);
    EXPECT_EQ(layer.mode, Mode::keep_mean);
    const Computed result = computed(model);
    const std::vector<float> scale = constants.back().floats();
    for (std::size_t p = 0; p < 6; ++p) {
        std::vector<double> pixel;
        for (std::size_t c = 0; c < 4; ++c) pixel.push_back(result.x[c * 6 + p]);
        const double root = std::sqrt(deviation(pixel) * deviation(pixel) * 4 / 3 + 1e-3);
        for (std::size_t c = 0; c < 4; ++c) {
            EXPECT_NEAR(result.y[c * 6 + p], pixel[c] / root * scale[c], 1e-5);
        }
    }
}

// EvoNorm-S0 (Liu et al. 2020): x sigmoid(v x) over the deviation of x's group.
TEST(OnnxProducts, AProductOverTheDeviationOfGroupsIsAGroupNormAndAProduct) {
    std::vector<Node> nodes{node("Reshape", {"x", "grouped"}, {"g"})};
    std::ranges::copy(deviation_nodes("g", {2, 3, 4}, "r", /*with_share=*/false), std::back_inserter(nodes));
    for (const Node& each :
         {node("Expand", {"r", "grouped"}, {"spread"}), node("Reshape", {"spread", "whole"}, {"divisor"}),
          node("Mul", {"x", "v"}, {"gated"}), node("Sigmoid", {"gated"}, {"gate"}),
          node("Mul", {"x", "gate"}, {"product"}), node("Div", {"product", "divisor"}, {"y"})}) {
        nodes.push_back(each);
    }
    const std::vector<Tensor> constants{scalar("e", 1e-3F), integers("grouped", {1, 2, 2, 2, 3}),
                                        integers("whole", {1, 4, 2, 3}), weights("v", {1, 4, 1, 1})};
    const Computed result = computed(model_of({1, 4, 2, 3}, nodes, constants));
    const std::vector<float> v = constants.back().floats();
    for (std::size_t i = 0; i < 24; ++i) {
        const std::vector<double> group(result.x.begin() + static_cast<std::ptrdiff_t>(i / 12 * 12),
                                        result.x.begin() + static_cast<std::ptrdiff_t>(i / 12 * 12 + 12));
        const double gate = 1.0 / (1.0 + std::exp(-double{result.x[i]} * v[i / 6]));
        const double root = std::sqrt(deviation(group) * deviation(group) + 1e-3);
        EXPECT_NEAR(result.y[i], result.x[i] * gate / root, 1e-5);
    }
}

// Filter response normalization with its threshold (Singh and Krishnan 2020).
TEST(OnnxProducts, ARootOverAllPixelsIsANormOfEachChannelAndABoundIsRelu) {
    const std::vector<Tensor> constants{scalar("e", 1e-3F), weights("norm.weight", {1, 4, 1, 1}),
                                        weights("norm.tau", {1, 4, 1, 1}), integers("whole", {1, 4, 2, 3})};
    const Computed result = computed(
        model_of({1, 4, 2, 3},
                 {node("Mul", {"x", "x"}, {"q"}), node("ReduceMean", {"q"}, {"m"}, {{"axes", Ints{2, 3}}}),
                  node("Add", {"m", "e"}, {"a"}), node("Sqrt", {"a"}, {"r"}),
                  node("Reciprocal", {"r"}, {"i"}), node("Mul", {"x", "i"}, {"n"}),
                  node("Mul", {"n", "norm.weight"}, {"s"}), node("Max", {"s", "norm.tau"}, {"y"})},
                 constants));
    const std::vector<float> scale = constants[1].floats();
    const std::vector<float> tau = constants[2].floats();
    for (std::size_t i = 0; i < 24; ++i) {
        const std::size_t c = i / 6;
        double squares = 0.0;
        for (std::size_t p = 0; p < 6; ++p) squares += std::pow(result.x[c * 6 + p], 2.0);
        const double normed = result.x[i] / std::sqrt(squares / 6 + 1e-3) * scale[c];
        EXPECT_NEAR(result.y[i], std::max(normed, double{tau[c]}), 1e-5);
    }
}

// As timm's ConvNeXt has its scales of blocks: the file gives the numbers another shape before they are used.
TEST(OnnxProducts, AScaleInAnotherShapeIsLearnedUnderItsName) {
    const Network network = import_onnx(
        model_of({1, 4, 2, 3},
                 {node("Conv", {"x", "block.fc.weight"}, {"c"}),
                  node("Reshape", {"block.gamma", "shape"}, {"g"}), node("Mul", {"c", "g"}, {"y"})},
                 {weights("block.fc.weight", {5, 4, 1, 1}), weights("block.gamma", {5}),
                  integers("shape", {1, -1, 1, 1})}),
        "net");
    ASSERT_EQ(network.graph.nodes.size(), 1U);
    EXPECT_EQ(network.graph.params(), 5 * 4 + 5);
    EXPECT_THAT(network.parameter_names, ElementsAre(ElementsAre("block.fc.weight", "block.gamma")));
}

// Two pads that fit into an int each, and not together.
TEST(OnnxProducts, PadsThatMakeAnAxisOfBillionsAreNoLayer) {
    const Model model = model_of({1, 2, 3}, {node("Pad", {"x", "pads"}, {"y"})},
                                 {integers("pads", {0, 0, 1023410177, 0, 0, 1935819009})});
    EXPECT_THROW(import_onnx(model, "net"), InputError);
}

// Refused before there is a weight for each of them.
TEST(OnnxProducts, ANumberForEachOfBillionsOfChannelsIsNoLayer) {
    for (const char* const op_type : {"Add", "Mul", "Max", "PRelu"}) {
        const Model model =
            model_of({1, 1 << 30, 1, 1}, {node(op_type, {"x", "c"}, {"y"})}, {weights("c", {1})});
        EXPECT_THROW(import_onnx(model, "net"), InputError) << op_type;
    }
    EXPECT_THROW(import_onnx(model_of({1, 1 << 30, 1, 1}, {node("Neg", {"x"}, {"y"})}), "net"), InputError);
}

TEST(OnnxProducts, WhatTheNetworkItselfLearnsCounts) {
    const auto params_with = [](const std::string& name) {
        return import_onnx(
                   model_of({1, 4, 2, 3}, {node("Add", {"x", name}, {"y"})}, {weights(name, {1, 4, 2, 3})}),
                   "net")
            .graph.params();
    };
    for (const char* const name : {"pos_embed", "cls_token", "block.bias"})
        EXPECT_EQ(params_with(name), 24) << name;
    for (const char* const name : {"onnx::Add_123", "123", "val_12", "/head/Constant_output_0"}) {
        EXPECT_EQ(params_with(name), 0) << name;
    }
}

TEST(OnnxProducts, OfAConstantWithMoreElementsRepeatTheOthers) {
    const std::vector<float> numbers = weights("c", {3, 4}).floats();
    const Computed result =
        computed(model_of({1, 2, 3, 1}, {node("Mul", {"x", "c"}, {"y"})}, {weights("c", {3, 4})}));
    ASSERT_EQ(result.y.size(), 24U);
    for (std::size_t i = 0; i < 24; ++i) EXPECT_NEAR(result.y[i], result.x[i / 4] * numbers[i % 12], 1e-6);
}

// More results than a layer has channels.
TEST(OnnxProducts, ReductionsOfManyRowsAreWindows) {
    for (const char* const reduction : {"ReduceMax", "ReduceMean", "ReduceSum"}) {
        const Computed result = computed(
            model_of({1, 260, 260, 2}, {node(reduction, {"x"}, {"y"}, {{"axes", Ints{3}}})}, {}, 12));
        ASSERT_EQ(result.y.size(), 260U * 260);
        for (std::size_t i = 0; i < result.y.size(); i += 997) {
            const double a = result.x[2 * i];
            const double b = result.x[2 * i + 1];
            const double sum = a + b;
            const std::string name = reduction;
            EXPECT_NEAR(result.y[i],
                        name == "ReduceMax"   ? std::max(a, b)
                        : name == "ReduceSum" ? sum
                                              : sum / 2,
                        1e-5);
        }
    }
}

// The numbers that a network adds to its input, all of them folded.
std::vector<float> added(std::vector<Node> nodes, std::vector<Tensor> constants, const Ints& input) {
    nodes.push_back(node("Add", {"x", "c"}, {"y"}));
    const Graph graph = simplified(model_of(input, std::move(nodes), std::move(constants)));
    EXPECT_THAT(operators(graph), ::testing::ElementsAre("Add"));
    return graph.initializers.front().floats();
}

TEST(OnnxConstants, OfGemmTileScatterAndEyeAreFolded) {
    using ::testing::ElementsAre;
    const auto floats = [](const char* name, Ints dims, std::vector<float> values) {
        return tensor_of(name, std::move(dims), values);
    };
    EXPECT_THAT(added({node("Gemm", {"a", "b", "d"}, {"c"},
                            {{"transA", std::int64_t{1}}, {"transB", std::int64_t{1}}, {"alpha", 2.0F}})},
                      {floats("a", {2, 1}, {1, 2}), floats("b", {3, 2}, {1, 0, 0, 1, 1, 1}),
                       floats("d", {3}, {1, 1, 1})},
                      {1, 3}),
                ElementsAre(3, 5, 7));
    EXPECT_THAT(added({node("Tile", {"a", "r"}, {"c"})}, {floats("a", {1, 2}, {1, 2}), integers("r", {2, 2})},
                      {2, 4}),
                ElementsAre(1, 2, 1, 2, 1, 2, 1, 2));
    EXPECT_THAT(added({node("ScatterND", {"a", "i", "u"}, {"c"})},
                      {floats("a", {2, 2}, {1, 2, 3, 4}), tensor_of("i", {1, 1}, Ints{-1}),
                       floats("u", {1, 2}, {8, 9})},
                      {2, 2}),
                ElementsAre(1, 2, 8, 9));
    EXPECT_THAT(added({node("Softmax", {"a"}, {"c"}, {{"axis", std::int64_t{0}}})},
                      {floats("a", {2, 1}, {3, 3})}, {2, 1}),
                ElementsAre(0.5F, 0.5F));
    EXPECT_THAT(added({node("EyeLike", {"a"}, {"c"}, {{"k", std::int64_t{1}}})},
                      {floats("a", {2, 3}, {0, 0, 0, 0, 0, 0})}, {2, 3}),
                ElementsAre(0, 1, 0, 0, 0, 1));
}

}  // namespace
}  // namespace hacscale::onnx
