// What exporters write in several nodes is one node after simplify().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/formats/onnx/onnx.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::ElementsAre;

const Attributes last_axis = {{"axes", Ints{-1}}};
const Attributes to_last = {{"perm", Ints{0, 2, 3, 1}}};
const Attributes to_first = {{"perm", Ints{0, 3, 1, 2}}};

std::vector<Node> joined(std::initializer_list<std::vector<Node>> parts) {
    std::vector<Node> result;
    for (const std::vector<Node>& part : parts) {
        result.insert(result.end(), part.begin(), part.end());
    }
    return result;
}

// LayerNorm of `x` before it was an operator, written to `y`; `axes` are those of its means.
std::vector<Node> layer_norm_nodes(const std::string& x, const std::string& y, const Attributes& axes) {
    return {node("ReduceMean", {x}, {y + "_mean"}, axes),
            node("Sub", {x, y + "_mean"}, {y + "_sub"}),
            node("Pow", {y + "_sub", "two"}, {y + "_square"}),
            node("ReduceMean", {y + "_square"}, {y + "_var"}, axes),
            node("Add", {y + "_var", "epsilon"}, {y + "_eps"}),
            node("Sqrt", {y + "_eps"}, {y + "_root"}),
            node("Div", {y + "_sub", y + "_root"}, {y + "_div"}),
            node("Mul", {y + "_div", "scale"}, {y + "_mul"}),
            node("Add", {y + "_mul", "bias"}, {y})};
}

std::vector<Tensor> layer_norm_constants(const Ints& dims) {
    return {scalar("two", 2), scalar("epsilon", 1e-6F), weights("scale", dims), weights("bias", dims)};
}

TEST(OnnxPatterns, LayerNormOverTheLastAxis) {
    const Graph graph =
        simplified(model_of({2, 5, 8}, layer_norm_nodes("x", "y", last_axis), layer_norm_constants({8})));
    ASSERT_THAT(operators(graph), ElementsAre("LayerNormalization"));
    EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x", "scale", "bias"));
    EXPECT_EQ(*graph.nodes[0].integer("axis"), 2);
    EXPECT_FLOAT_EQ(*graph.nodes[0].number("epsilon"), 1e-6F);
    EXPECT_EQ(graph.nodes[0].sources.size(), 9U);
}

TEST(OnnxPatterns, LayerNormOverChannels) {
    const Graph direct = simplified(model_of({1, 8, 4, 4}, layer_norm_nodes("x", "y", {{"axes", Ints{1}}}),
                                             layer_norm_constants({8, 1, 1})));
    ASSERT_THAT(operators(direct), ElementsAre("hacscale.LayerNormChannels"));
    EXPECT_EQ(direct.initializer(direct.nodes[0].inputs[1])->dims, (Ints{8}));
    // Between two transposes, the names of weights and of the output stay those of the file.
    const Graph moved = simplified(model_of({1, 8, 4, 4},
                                            joined({{node("Transpose", {"x"}, {"t"}, to_last)},
                                                    layer_norm_nodes("t", "n", last_axis),
                                                    {node("Transpose", {"n"}, {"y"}, to_first)}}),
                                            layer_norm_constants({8})));
    ASSERT_THAT(operators(moved), ElementsAre("hacscale.LayerNormChannels"));
    EXPECT_THAT(moved.nodes[0].inputs, ElementsAre("x", "scale", "bias"));
    EXPECT_THAT(moved.nodes[0].outputs, ElementsAre("y"));
}

TEST(OnnxPatterns, SomethingElseThanTheVarianceIsNoLayerNorm) {
    std::vector<Node> nodes = layer_norm_nodes("x", "y", last_axis);
    nodes[3].attributes = {{"axes", Ints{-2}}};
    EXPECT_THAT(operators(simplified(model_of({2, 8, 8}, nodes, layer_norm_constants({8})))),
                ::testing::Not(::testing::Contains(::testing::HasSubstr("LayerNorm"))));
}

// A ConvNeXt block: linear layers on channels that are last become 1x1 convs with their biases.
TEST(OnnxPatterns, LinearLayersOnChannelsAreConvs) {
    const Graph graph = simplified(
        model_of({2, 8, 5, 4},
                 {node("Transpose", {"x"}, {"t"}, to_last),
                  node("LayerNormalization", {"t", "scale", "bias"}, {"n"}, {{"epsilon", 1e-6F}}),
                  node("MatMul", {"n", "w1"}, {"m1"}), node("Add", {"b1", "m1"}, {"a1"}),
                  node("Gelu", {"a1"}, {"g"}), node("MatMul", {"g", "w2"}, {"m2"}),
                  node("Add", {"m2", "b2"}, {"a2"}), node("Mul", {"a2", "gamma"}, {"s"}),
                  node("Transpose", {"s"}, {"u"}, to_first), node("Add", {"u", "x"}, {"y"})},
                 {weights("scale", {8}), weights("bias", {8}), weights("w1", {8, 32}), weights("b1", {32}),
                  weights("w2", {32, 8}), weights("b2", {8}), weights("gamma", {8})},
                 20));
    ASSERT_THAT(operators(graph),
                ElementsAre("hacscale.LayerNormChannels", "Conv", "hacscale.Gelu", "Conv", "Mul", "Add"));
    const Node& conv = graph.nodes[1];
    EXPECT_EQ(conv.inputs[2], "b1");
    const Tensor& kernel = *graph.initializer(conv.inputs[1]);
    EXPECT_EQ(kernel.dims, (Ints{32, 8, 1, 1}));
    const Floats original = weights("w1", {8, 32}).floats();
    EXPECT_EQ(kernel.floats()[3 * 8 + 5], original[5 * 32 + 3]);
    EXPECT_EQ(graph.outputs[0].sizes(), (Ints{2, 8, 5, 4}));
}

TEST(OnnxPatterns, ReadersOfChannelsLastGetThem) {
    const Graph graph =
        simplified(model_of({1, 8, 4, 4}, {node("Transpose", {"x"}, {"t"}, to_last),
                                           node("Relu", {"t"}, {"r"}), node("Softmax", {"r"}, {"y"})}));
    ASSERT_THAT(operators(graph), ElementsAre("Relu", "Transpose", "Softmax"));
    EXPECT_THAT(graph.nodes[0].inputs, ElementsAre("x"));
    EXPECT_EQ(graph.outputs[0].sizes(), (Ints{1, 4, 4, 8}));
}

TEST(OnnxPatterns, GroupNormOfReshapedValues) {
    const auto nodes = [](const std::string& instance) {
        return std::vector<Node>{node("Reshape", {"x", "grouped"}, {"r"}),
                                 node("InstanceNormalization", {"r", instance, "zeros"}, {"i"}),
                                 node("Reshape", {"i", "whole"}, {"j"}), node("Mul", {"j", "scale"}, {"m"}),
                                 node("Add", {"m", "bias"}, {"y"})};
    };
    const std::vector<Tensor> constants = {integers("grouped", {0, 2, -1}),
                                           integers("whole", {2, 8, 4, 4}),
                                           tensor_of("ones", {2}, Floats{1, 1}),
                                           tensor_of("zeros", {2}, Floats{0, 0}),
                                           weights("some", {2}),
                                           weights("scale", {8, 1, 1}),
                                           weights("bias", {8, 1, 1})};
    const Graph graph = simplified(model_of({2, 8, 4, 4}, nodes("ones"), constants));
    ASSERT_THAT(operators(graph), ElementsAre("hacscale.GroupNorm"));
    EXPECT_EQ(*graph.nodes[0].integer("num_groups"), 2);
    EXPECT_EQ(simplified(model_of({2, 8, 4, 4}, nodes("some"), constants)).nodes.size(), 5U);
}

TEST(OnnxPatterns, GroupNormOfAnOperator) {
    const auto scale_of = [](std::int64_t opset, std::int64_t count) {
        const Graph graph = simplified(
            model_of({2, 8, 4, 4},
                     {node("GroupNormalization", {"x", "s", "b"}, {"y"}, {{"num_groups", std::int64_t{2}}})},
                     {weights("s", {count}), weights("b", {count})}, opset));
        EXPECT_THAT(operators(graph), ElementsAre("hacscale.GroupNorm"));
        return graph.initializer(graph.nodes[0].inputs[1])->floats();
    };
    EXPECT_EQ(scale_of(21, 8), weights("s", {8}).floats());
    EXPECT_EQ(scale_of(18, 2), (Floats{0.1F, 0.1F, 0.1F, 0.1F, -0.2F, -0.2F, -0.2F, -0.2F}));
}

Graph reordered(const Ints& x, const Ints& split, const Ints& order, const Ints& result) {
    return simplified(
        model_of(x,
                 {node("Reshape", {"x", "split"}, {"a"}), node("Transpose", {"a"}, {"b"}, {{"perm", order}}),
                  node("Reshape", {"b", "result"}, {"y"})},
                 {integers("split", split), integers("result", result)}));
}

TEST(OnnxPatterns, Shuffles) {
    const Graph channels = reordered({2, 6, 4, 5}, {2, 3, 2, 4, 5}, {0, 2, 1, 3, 4}, {2, 6, 4, 5});
    ASSERT_THAT(operators(channels), ElementsAre("hacscale.ChannelShuffle"));
    EXPECT_EQ(*channels.nodes[0].integer("groups"), 3);
    EXPECT_THAT(operators(reordered({2, 6, 4, 5}, {2, 3, 2, 20}, {0, 2, 1, 3}, {2, 6, 4, 5})),
                ElementsAre("hacscale.ChannelShuffle"));
    const Graph pixels = reordered({1, 18, 4, 5}, {1, 2, 3, 3, 4, 5}, {0, 1, 4, 2, 5, 3}, {1, 2, 12, 15});
    ASSERT_THAT(operators(pixels), ElementsAre("DepthToSpace"));
    EXPECT_EQ(*pixels.nodes[0].text("mode"), "CRD");
    EXPECT_THAT(operators(reordered({1, 2, 12, 15}, {1, 2, 4, 3, 5, 3}, {0, 1, 3, 5, 2, 4}, {1, 18, 4, 5})),
                ElementsAre("hacscale.SpaceToDepth"));
    EXPECT_THAT(operators(reordered({1, 2, 12, 15}, {1, 2, 4, 3, 5, 3}, {0, 3, 5, 1, 2, 4}, {1, 18, 4, 5})),
                ElementsAre("SpaceToDepth"));
    EXPECT_THAT(operators(reordered({1, 2, 12, 15}, {1, 2, 4, 3, 5, 3}, {0, 3, 5, 1, 4, 2}, {1, 18, 5, 4})),
                ElementsAre("Reshape", "Transpose", "Reshape"));
}

TEST(OnnxPatterns, EfficientChannelAttention) {
    const Attributes window = {{"pads", Ints{1, 1}}};
    const Graph graph = simplified(
        model_of({2, 8, 4, 4},
                 {node("ReduceMean", {"x"}, {"m"}, {{"axes", Ints{2, 3}}, {"keepdims", std::int64_t{0}}}),
                  node("Reshape", {"m", "row"}, {"r"}), node("Conv", {"r", "w"}, {"c"}, window),
                  node("Sigmoid", {"c"}, {"s"}), node("Reshape", {"s", "column"}, {"v"}),
                  node("Expand", {"v", "whole"}, {"e"}), node("Mul", {"x", "e"}, {"y"})},
                 {integers("row", {2, 1, -1}), weights("w", {1, 1, 3}), integers("column", {2, -1, 1, 1}),
                  integers("whole", {2, 8, 4, 4})}));
    ASSERT_THAT(operators(graph),
                ElementsAre("GlobalAveragePool", "hacscale.ConvOverChannels", "Sigmoid", "Mul"));
    EXPECT_EQ(graph.initializer(graph.nodes[1].inputs[1])->dims, (Ints{3}));
    EXPECT_EQ(*graph.nodes[1].integers("pads"), (Ints{1, 1}));
    for (const ValueInfo& info : graph.value_info) {
        if (info.name != "y") {
            EXPECT_EQ(info.sizes(), (Ints{2, 8, 1, 1})) << info.name;
        }
    }
}

TEST(OnnxPatterns, GlobalResponseNormalization) {
    const std::vector<Node> norm = {node("ReduceL2", {"x"}, {"g"}, {{"axes", Ints{2, 3}}})};
    // As PyTorch 2.0 writes the 2-norm.
    const std::vector<Node> written_out = {node("Abs", {"x"}, {"p"}), node("Pow", {"p", "two"}, {"q"}),
                                           node("ReduceSum", {"q"}, {"r"}, {{"axes", Ints{2, 3}}}),
                                           node("Pow", {"r", "half"}, {"g"})};
    const std::vector<Node> rest = {node("ReduceMean", {"g"}, {"m"}, {{"axes", Ints{1}}}),
                                    node("Add", {"m", "epsilon"}, {"d"}),
                                    node("Div", {"g", "d"}, {"n"}),
                                    node("Mul", {"x", "n"}, {"a"}),
                                    node("Mul", {"scale", "a"}, {"b"}),
                                    node("Add", {"bias", "b"}, {"c"}),
                                    node("Add", {"x", "c"}, {"y"})};
    for (const std::vector<Node>& start : {norm, written_out}) {
        const Graph graph =
            simplified(model_of({1, 8, 4, 4}, joined({start, rest}),
                                {scalar("epsilon", 1e-6F), scalar("two", 2), scalar("half", 0.5F),
                                 weights("scale", {1, 8, 1, 1}), weights("bias", {1, 8, 1, 1})},
                                11));
        ASSERT_THAT(operators(graph), ElementsAre("hacscale.Grn"));
        EXPECT_EQ(graph.initializer(graph.nodes[0].inputs[1])->dims, (Ints{8}));
    }
}

TEST(OnnxPatterns, LinearLayersHaveOneForm) {
    const Graph product =
        simplified(model_of({4, 6}, {node("MatMul", {"x", "w"}, {"m"}), node("Add", {"b", "m"}, {"y"})},
                            {weights("w", {6, 3}), weights("b", {3})}));
    ASSERT_THAT(operators(product), ElementsAre("Gemm"));
    EXPECT_EQ(product.nodes[0].inputs[2], "b");
    EXPECT_EQ(product.initializer(product.nodes[0].inputs[1])->dims, (Ints{3, 6}));
    const Graph scaled =
        simplified(model_of({4, 6},
                            {node("Gemm", {"x", "w", "b"}, {"y"},
                                  {{"alpha", 2.0F}, {"beta", 3.0F}, {"transB", std::int64_t{1}}})},
                            {weights("w", {3, 6}), weights("b", {1, 3})}));
    EXPECT_EQ(*scaled.nodes[0].number("alpha"), 1);
    EXPECT_FLOAT_EQ(scaled.initializer(scaled.nodes[0].inputs[1])->floats()[1], 2 * -0.2F);
    EXPECT_FLOAT_EQ(scaled.initializer(scaled.nodes[0].inputs[2])->floats()[2], 3 * 0.3F);
    EXPECT_EQ(scaled.initializer(scaled.nodes[0].inputs[2])->dims, (Ints{3}));
}

TEST(OnnxPatterns, ConstantsJoinWhatTheyChange) {
    const Graph biased =
        simplified(model_of({1, 3, 8, 8}, {node("Conv", {"x", "w"}, {"c"}), node("Add", {"c", "b"}, {"y"})},
                            {weights("w", {4, 3, 3, 3}), weights("b", {4, 1, 1})}));
    ASSERT_THAT(operators(biased), ElementsAre("Conv"));
    EXPECT_EQ(biased.initializer(biased.nodes[0].inputs[2])->dims, (Ints{4}));
    EXPECT_EQ(biased.nodes[0].name, "/c");
    const Graph shifted = simplified(model_of(
        {2, 3},
        {node("Sub", {"x", "a"}, {"s"}), node("Div", {"s", "a"}, {"d"}), node("Mul", {"d", "a"}, {"y"})},
        {scalar("a", 4)}));
    ASSERT_THAT(operators(shifted), ElementsAre("Add", "Mul"));
    EXPECT_FLOAT_EQ(shifted.initializer(shifted.nodes[1].inputs[1])->floats()[0], 1);
    EXPECT_FLOAT_EQ(shifted.initializer(shifted.nodes[0].inputs[1])->floats()[0], -4);
}

}  // namespace
}  // namespace hacscale::onnx
