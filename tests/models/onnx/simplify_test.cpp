#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string unsupported_reason(const Model& model) {
    try {
        simplified(model);
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

Ints output_shape(const Model& model) {
    return simplified(model).outputs.front().sizes().value_or(Ints{-1});
}

TEST(OnnxSimplify, ConvsHaveAllAttributesOfTheirWindow) {
    const Graph graph =
        simplified(model_of({1, 3, 9, 8}, {node("Conv", {"x", "w"}, {"y"})}, {weights("w", {4, 3, 3, 2})}));
    const Node& conv = graph.nodes.front();
    EXPECT_EQ(*conv.integers("kernel_shape"), (Ints{3, 2}));
    EXPECT_EQ(*conv.integers("strides"), (Ints{1, 1}));
    EXPECT_EQ(*conv.integers("dilations"), (Ints{1, 1}));
    EXPECT_EQ(*conv.integers("pads"), (Ints{0, 0, 0, 0}));
    EXPECT_EQ(*conv.integer("group"), 1);
    EXPECT_EQ(graph.outputs.front().sizes(), (Ints{1, 4, 7, 7}));
}

TEST(OnnxSimplify, SamePaddingBecomesPads) {
    const auto pads = [](const char* rule, std::int64_t size) {
        const Graph graph = simplified(model_of(
            {1, 1, size, size},
            {node("Conv", {"x", "w"}, {"y"}, {{"auto_pad", std::string(rule)}, {"strides", Ints{2, 2}}})},
            {weights("w", {1, 1, 3, 3})}));
        EXPECT_EQ(graph.outputs.front().sizes(), (Ints{1, 1, (size + 1) / 2, (size + 1) / 2}));
        return *graph.nodes.front().integers("pads");
    };
    EXPECT_THAT(pads("SAME_UPPER", 8), ElementsAre(0, 0, 1, 1));
    EXPECT_THAT(pads("SAME_LOWER", 8), ElementsAre(1, 1, 0, 0));
    EXPECT_THAT(pads("SAME_UPPER", 9), ElementsAre(1, 1, 1, 1));
}

TEST(OnnxSimplify, CeilModeBecomesPads) {
    const auto pool = [](std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t pad) {
        return model_of({1, 2, size, size}, {node("MaxPool", {"x"}, {"y"},
                                                  {{"kernel_shape", Ints{kernel, kernel}},
                                                   {"strides", Ints{stride, stride}},
                                                   {"pads", Ints{pad, pad, pad, pad}},
                                                   {"ceil_mode", std::int64_t{1}}})});
    };
    EXPECT_EQ(output_shape(pool(54, 3, 2, 0)), (Ints{1, 2, 27, 27}));
    EXPECT_THAT(*simplified(pool(54, 3, 2, 0)).nodes.front().integers("pads"), ElementsAre(0, 0, 1, 1));
    // The last window would start in the padding: it is left out, as PyTorch does.
    EXPECT_EQ(output_shape(pool(5, 2, 2, 1)), (Ints{1, 2, 3, 3}));
    EXPECT_EQ(output_shape(pool(4, 1, 2, 0)), (Ints{1, 2, 2, 2}));
}

TEST(OnnxSimplify, TransposedConvsFollowTheirAttributes) {
    const auto shape = [](Attributes attributes) {
        return output_shape(model_of({1, 4, 5, 5},
                                     {node("ConvTranspose", {"x", "w"}, {"y"}, std::move(attributes))},
                                     {weights("w", {4, 2, 3, 3})}));
    };
    EXPECT_EQ(shape({{"strides", Ints{2, 2}}}), (Ints{1, 2, 11, 11}));
    EXPECT_EQ(shape({{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}, {"output_padding", Ints{1, 1}}}),
              (Ints{1, 2, 10, 10}));
    EXPECT_EQ(shape({{"strides", Ints{2, 2}}, {"output_shape", Ints{10, 9}}}), (Ints{1, 2, 10, 9}));
    EXPECT_EQ(shape({{"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}}),
              (Ints{1, 2, 10, 10}));
}

// x.view(x.shape[0], -1) as exporters with dynamic axes write it.
TEST(OnnxSimplify, ShapeArithmeticIsFolded) {
    const Graph graph = simplified(model_of(
        {2, 3, 4, 5},
        {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}, {{"axis", std::int64_t{0}}}),
         node("Unsqueeze", {"n", "axes"}, {"n1"}),
         node("Constant", {}, {"rest"}, {{"value", integers("", {-1})}}),
         node("Concat", {"n1", "rest"}, {"shape"}, {{"axis", std::int64_t{0}}}),
         node("Reshape", {"x", "shape"}, {"y"})},
        {tensor_of("zero", {}, Ints{0}), integers("axes", {0})}));
    EXPECT_THAT(operators(graph), ElementsAre("Reshape"));
    EXPECT_EQ(*graph.nodes.front().integers("shape"), (Ints{2, 60}));
    EXPECT_TRUE(graph.initializers.empty());
}

TEST(OnnxSimplify, WhatChangesNothingIsGone) {
    const Graph graph = simplified(
        model_of({1, 3, 4, 4},
                 {node("Identity", {"x"}, {"a"}), node("Dropout", {"a"}, {"b", "mask"}),
                  node("Cast", {"b"}, {"c"}, {{"to", std::int64_t{1}}}), node("Pad", {"c", "pads"}, {"d"}),
                  node("Relu", {"d"}, {"e"}), node("Reshape", {"e", "shape"}, {"f"}),
                  node("Identity", {"f"}, {"y"}), node("Exp", {"x"}, {"unused"})},
                 {integers("pads", Ints(8, 0)), integers("shape", {1, 3, 4, 4})}));
    EXPECT_THAT(operators(graph), ElementsAre("Relu"));
    EXPECT_THAT(graph.nodes.front().inputs, ElementsAre("x"));
    EXPECT_THAT(graph.nodes.front().outputs, ElementsAre("y"));
    EXPECT_EQ(graph.nodes.front().name, "/e");
}

TEST(OnnxSimplify, OutputsThatAreInputsOrConstantsStay) {
    Model model = model_of({1, 3}, {node("Identity", {"x"}, {"y"}), node("Add", {"w", "w"}, {"z"})},
                           {weights("w", {2})});
    model.graph.outputs.push_back({"z", DataType::float32, {}});
    const Graph graph = simplified(model);
    EXPECT_THAT(operators(graph), ElementsAre("Identity"));
    ASSERT_NE(graph.initializer("z"), nullptr);
    EXPECT_FLOAT_EQ(graph.initializer("z")->floats()[0], 0.2F);
}

// Parameters that moved from attributes to inputs between opsets.
TEST(OnnxSimplify, ParametersAreReadFromEveryOpset) {
    const auto attributes_of = [](std::int64_t opset, Node tested, std::vector<Tensor> initializers) {
        return simplified(model_of({1, 4, 6, 6}, {std::move(tested)}, std::move(initializers), opset))
            .nodes.front();
    };
    const Node clip_9 = attributes_of(9, node("Clip", {"x"}, {"y"}, {{"min", -1.0F}, {"max", 2.0F}}), {});
    const Node clip_13 =
        attributes_of(13, node("Clip", {"x", "low", "high"}, {"y"}), {scalar("low", -1), scalar("high", 2)});
    EXPECT_EQ(clip_9.attributes, clip_13.attributes);
    const Node squeeze_11 = attributes_of(11, node("Squeeze", {"x"}, {"y"}, {{"axes", Ints{0}}}), {});
    const Node squeeze_13 =
        attributes_of(13, node("Squeeze", {"x", "axes"}, {"y"}), {integers("axes", {-4})});
    EXPECT_EQ(squeeze_11.attributes, squeeze_13.attributes);
    const Node slice_9 = attributes_of(
        9,
        node("Slice", {"x"}, {"y"}, {{"starts", Ints{1, -3}}, {"ends", Ints{3, 9999}}, {"axes", Ints{1, 3}}}),
        {});
    const Node slice_13 = attributes_of(13, node("Slice", {"x", "s", "e", "a", "t"}, {"y"}),
                                        {integers("s", {1, 3}), integers("e", {-1, INT64_MAX}),
                                         integers("a", {1, -1}), integers("t", {1, 1})});
    EXPECT_EQ(slice_9.attributes, slice_13.attributes);
    EXPECT_EQ(*slice_9.integers("counts"), (Ints{1, 2, 6, 3}));
    const Node pad_10 = attributes_of(
        10, node("Pad", {"x"}, {"y"}, {{"pads", Ints{0, 0, 1, 0, 0, 0, 0, 2}}, {"value", 3.0F}}), {});
    const Node pad_18 = attributes_of(18, node("Pad", {"x", "p", "v", "a"}, {"y"}),
                                      {integers("p", {1, 0, 0, 2}), scalar("v", 3), integers("a", {2, 3})});
    EXPECT_EQ(pad_10.attributes, pad_18.attributes);
    const Node mean_13 = attributes_of(13, node("ReduceMean", {"x"}, {"y"}, {{"axes", Ints{-3}}}), {});
    const Node mean_18 = attributes_of(18, node("ReduceMean", {"x", "a"}, {"y"}), {integers("a", {1})});
    EXPECT_EQ(mean_13.attributes, mean_18.attributes);
    const Node split_11 = attributes_of(
        11, node("Split", {"x"}, {"y", "z"}, {{"axis", std::int64_t{1}}, {"split", Ints{1, 3}}}), {});
    const Node split_13 = attributes_of(
        13, node("Split", {"x", "s"}, {"y", "z"}, {{"axis", std::int64_t{-3}}}), {integers("s", {1, 3})});
    EXPECT_EQ(split_11.attributes, split_13.attributes);
    const Tensor scales = tensor_of("s", {4}, Floats{1, 1, 2, 2});
    const Node upsample_9 =
        attributes_of(9, node("Upsample", {"x", "s"}, {"y"}, {{"mode", std::string("nearest")}}), {scales});
    const Node resize_13 = attributes_of(13,
                                         node("Resize", {"x", "", "s"}, {"y"},
                                              {{"coordinate_transformation_mode", std::string("asymmetric")},
                                               {"nearest_mode", std::string("floor")}}),
                                         {scales});
    EXPECT_EQ(upsample_9.attributes, resize_13.attributes);
    EXPECT_EQ(upsample_9.op_type, resize_13.op_type);
}

TEST(OnnxSimplify, PadsMoveIntoTheNextWindow) {
    const auto pads_of = [](std::vector<Node> nodes) {
        const Graph graph =
            simplified(model_of({1, 2, 8, 8}, std::move(nodes),
                                {integers("p", {0, 0, 0, 1, 0, 0, 1, 2}), weights("w", {1, 2, 3, 3})}));
        return graph.nodes.back().integers("pads", {});
    };
    const Attributes window = {
        {"kernel_shape", Ints{3, 3}}, {"strides", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 0}}};
    EXPECT_THAT(pads_of({node("Pad", {"x", "p"}, {"a"}), node("Conv", {"a", "w"}, {"y"}, window)}),
                ElementsAre(1, 1, 1, 2));
    // A maximum may be padded with zeros where nothing is below zero.
    EXPECT_THAT(pads_of({node("Relu", {"x"}, {"r"}), node("Pad", {"r", "p"}, {"a"}),
                         node("MaxPool", {"a"}, {"y"}, window)}),
                ElementsAre(1, 1, 1, 2));
    EXPECT_THAT(pads_of({node("Pad", {"x", "p"}, {"a"}), node("MaxPool", {"a"}, {"y"}, window)}),
                ElementsAre(1, 0, 0, 0));
    EXPECT_THAT(pads_of({node("Pad", {"x", "p"}, {"a"}, {{"mode", std::string("reflect")}}),
                         node("Conv", {"a", "w"}, {"y"}, window)}),
                ElementsAre(1, 0, 0, 0));
}

// The nodes that exporters write for an activation of x.
struct ExportedActivation {
    const char* name;
    std::vector<Node> nodes;
};

std::vector<ExportedActivation> exported_activations() {
    const Attributes six = {{"min", 0.0F}, {"max", 6.0F}};
    const Attributes hard = {{"alpha", 1.0F / 6}, {"beta", 0.5F}};
    const std::vector<Node> shifted = {node("Add", {"x", "3"}, {"a"}), node("Clip", {"a"}, {"b"}, six)};
    const auto after = [](std::vector<Node> nodes, const std::vector<Node>& more) {
        nodes.insert(nodes.end(), more.begin(), more.end());
        return nodes;
    };
    const std::vector<Node> erf = {node("Div", {"x", "sqrt2"}, {"a"}), node("Erf", {"a"}, {"b"}),
                                   node("Add", {"b", "1"}, {"c"})};
    const std::vector<Node> tanh = {node("Mul", {"x", "x"}, {"a"}),         node("Mul", {"a", "x"}, {"b"}),
                                    node("Mul", {"0.044715", "b"}, {"c"}),  node("Add", {"x", "c"}, {"d"}),
                                    node("Mul", {"d", "0.7978846"}, {"e"}), node("Tanh", {"e"}, {"f"}),
                                    node("Add", {"1", "f"}, {"g"})};
    return {
        {"hacscale.Silu", {node("Sigmoid", {"x"}, {"a"}), node("Mul", {"x", "a"}, {"y"})}},
        {"hacscale.Silu", {node("Sigmoid", {"x"}, {"a"}), node("Mul", {"a", "x"}, {"y"})}},
        {"hacscale.HardSigmoid", {node("HardSigmoid", {"x"}, {"y"}, hard)}},
        {"hacscale.HardSigmoid", after(shifted, {node("Div", {"b", "6"}, {"y"})})},
        {"hacscale.HardSwish", {node("HardSwish", {"x"}, {"y"})}},
        {"hacscale.HardSwish", {node("HardSigmoid", {"x"}, {"a"}, hard), node("Mul", {"x", "a"}, {"y"})}},
        {"hacscale.HardSwish",
         after(shifted, {node("Div", {"b", "6"}, {"c"}), node("Mul", {"x", "c"}, {"y"})})},
        {"hacscale.HardSwish",
         after(shifted, {node("Mul", {"x", "b"}, {"c"}), node("Div", {"c", "6"}, {"y"})})},
        {"hacscale.HardSwish",
         after(shifted, {node("Mul", {"x", "b"}, {"c"}), node("Mul", {"c", "sixth"}, {"y"})})},
        {"hacscale.Relu6", {node("Clip", {"x"}, {"y"}, six)}},
        {"Relu", {node("Clip", {"x"}, {"y"}, {{"min", 0.0F}})}},
        {"hacscale.Gelu", after(erf, {node("Mul", {"x", "c"}, {"d"}), node("Mul", {"d", "0.5"}, {"y"})})},
        {"hacscale.Gelu", after(erf, {node("Mul", {"x", "0.5"}, {"d"}), node("Mul", {"d", "c"}, {"y"})})},
        {"hacscale.Gelu", after(tanh, {node("Mul", {"0.5", "x"}, {"h"}), node("Mul", {"h", "g"}, {"y"})})},
        {"hacscale.Mish",
         {node("Softplus", {"x"}, {"a"}), node("Tanh", {"a"}, {"b"}), node("Mul", {"x", "b"}, {"y"})}},
        {"hacscale.Mish",
         {node("Exp", {"x"}, {"a"}), node("Add", {"a", "1"}, {"b"}), node("Log", {"b"}, {"c"}),
          node("Tanh", {"c"}, {"d"}), node("Mul", {"x", "d"}, {"y"})}},
    };
}

std::vector<Tensor> activation_constants() {
    return {scalar("0.044715", 0.044715F),
            scalar("0.5", 0.5F),
            scalar("0.7978846", 0.7978846F),
            scalar("1", 1),
            scalar("3", 3),
            scalar("6", 6),
            scalar("sixth", 1.0F / 6),
            scalar("sqrt2", 1.41421354F)};
}

TEST(OnnxSimplify, ActivationsAreOneNode) {
    for (const ExportedActivation& exported : exported_activations()) {
        Model model = model_of({1, 3, 4, 4}, exported.nodes, activation_constants(), 10);
        const Graph graph = simplified(model);
        ASSERT_THAT(operators(graph), ElementsAre(exported.name));
        EXPECT_THAT(graph.nodes.front().inputs, ElementsAre("x"));
        // Intermediate values that the network gives out are still computed.
        if (exported.nodes.size() > 1) {
            model.graph.outputs.push_back({exported.nodes.front().outputs.front(), DataType::float32, {}});
            EXPECT_GT(simplified(model).nodes.size(), 1U) << exported.name;
        }
    }
}

TEST(OnnxSimplify, AnActivationKeepsTheNamesOfItsNodes) {
    const Graph graph =
        simplified(model_of({1, 3}, {node("Sigmoid", {"x"}, {"a"}), node("Mul", {"x", "a"}, {"y"})}));
    EXPECT_THAT(graph.nodes.front().sources, ElementsAre("/a", "/y"));
}

TEST(OnnxSimplify, RefusalsNameNodeOperatorAndAttribute) {
    const auto conv = [](Attributes attributes) {
        return model_of({1, 3, 8, 8}, {node("Conv", {"x", "w"}, {"y"}, std::move(attributes))},
                        {weights("w", {4, 3, 3, 3})});
    };
    EXPECT_THAT(unsupported_reason(conv({{"strides", Ints{0, 1}}})),
                AllOf(HasSubstr("net.onnx: node \"/y\" (Conv)"), HasSubstr("\"strides\"")));
    EXPECT_THAT(unsupported_reason(conv({{"group", std::string("three")}})),
                AllOf(HasSubstr("\"group\""), HasSubstr("not an integer")));
    EXPECT_THAT(unsupported_reason(conv({{"group", std::int64_t{2}}})), HasSubstr("2 groups"));
    EXPECT_THAT(unsupported_reason(conv({{"dilations", Ints{4, 4}}})),
                HasSubstr("larger than the padded input"));
    EXPECT_THAT(unsupported_reason(conv({{"pads", Ints{1LL << 60, 0, 0, 0}}})), HasSubstr("\"pads\""));
    EXPECT_THAT(unsupported_reason(model_of({1}, {node("NonMaxSuppression", {"x"}, {"y"})})),
                HasSubstr("the operator NonMaxSuppression is not supported"));
    EXPECT_THAT(
        unsupported_reason(model_of({2, 3}, {node("Reshape", {"x", "s"}, {"y"})}, {integers("s", {7, -1})})),
        HasSubstr("does not fit"));
    EXPECT_THAT(unsupported_reason(
                    model_of({4}, {node("Expand", {"x", "s"}, {"y"})}, {integers("s", {1LL << 60, 4})})),
                HasSubstr("/y"));
    EXPECT_THAT(unsupported_reason(
                    model_of({4}, {node("ConstantOfShape", {"s"}, {"c"}), node("Add", {"c", "x"}, {"y"})},
                             {integers("s", {1LL << 38})})),
                HasSubstr("more memory"));
    EXPECT_THAT(unsupported_reason(model_of({4}, {node("Cast", {"x"}, {"s"}, {{"to", std::int64_t{7}}}),
                                                  node("Reshape", {"x", "s"}, {"y"})})),
                HasSubstr("depends on the network's inputs"));
}

TEST(OnnxSimplify, PositionsAreFolded) {
    const Graph graph = simplified(model_of(
        {2, 2},
        {node("CumSum", {"ones", "axis"}, {"sum"}), node("Sub", {"sum", "one"}, {"row"}),
         node("Unsqueeze", {"row", "last"}, {"indices"}), node("GatherND", {"table", "indices"}, {"picked"}),
         node("Add", {"x", "picked"}, {"y"})},
        {tensor_of("ones", {2}, Ints{1, 1}), tensor_of("axis", {}, Ints{0}), tensor_of("one", {}, Ints{1}),
         integers("last", {-1}), tensor_of("table", {3, 2}, Floats{1, 2, 3, 4, 5, 6})}));
    ASSERT_THAT(operators(graph), ElementsAre("Add"));
    EXPECT_EQ(graph.initializer("picked")->floats(), (Floats{1, 2, 3, 4}));
}

// Standardized weights: the batch-norm of a constant with its own statistics.
TEST(OnnxSimplify, BatchNormOfWeightsIsFolded) {
    const auto model = [](std::vector<Node> nodes) {
        return model_of({1, 2, 1, 1}, std::move(nodes),
                        {tensor_of("w", {1, 2, 2}, Floats{1, 3, 10, 14}), tensor_of("s", {2}, Floats{1, 2}),
                         tensor_of("b", {2}, Floats{0, 5}), tensor_of("m", {2}, Floats{0, 0}),
                         tensor_of("v", {2}, Floats{1, 1}), integers("shape", {2, 2, 1, 1})});
    };
    const Attributes training = {{"training_mode", std::int64_t{1}}, {"epsilon", 0.0F}};
    const Graph graph =
        simplified(model({node("BatchNormalization", {"w", "s", "b", "m", "v"}, {"n"}, training),
                          node("Reshape", {"n", "shape"}, {"k"}), node("Conv", {"x", "k"}, {"y"})}));
    ASSERT_THAT(operators(graph), ElementsAre("Conv"));
    EXPECT_EQ(graph.initializer("k")->floats(), (Floats{-1, 1, 3, 7}));
    EXPECT_THAT(
        unsupported_reason(model({node("BatchNormalization", {"x", "s", "b", "m", "v"}, {"y"}, training)})),
        HasSubstr("training mode"));
}

// A file with batch 1 in its shapes, at batch 4: channel shuffle, a linear layer, a reduction.
TEST(OnnxSimplify, AFixedBatchIsChanged) {
    const std::vector<Node> nodes = {
        node("Reshape", {"x", "split"}, {"a"}), node("Transpose", {"a"}, {"b"}, {{"perm", Ints{0, 2, 1, 3}}}),
        node("Softmax", {"b"}, {"c"}),          node("Reshape", {"c", "flat"}, {"d"}),
        node("MatMul", {"d", "w"}, {"e"}),      node("Add", {"e", "b1"}, {"y"})};
    const std::vector<Tensor> constants = {integers("split", {1, 2, 3, 4}), integers("flat", {1, -1}),
                                           weights("w", {24, 5}), weights("b1", {1, 5})};
    Model model = read_bytes(to_bytes(model_of({1, 6, 4}, nodes, constants)), "net.onnx");
    fix_inputs(model, 4, {});
    const Graph graph = simplify(model).graph;
    EXPECT_EQ(graph.inputs.front().sizes(), (Ints{4, 6, 4}));
    EXPECT_EQ(graph.outputs.front().sizes(), (Ints{4, 5}));
    EXPECT_EQ(*graph.nodes.front().integers("shape"), (Ints{4, 2, 3, 4}));
    // The batch is moved to another place.
    model =
        read_bytes(to_bytes(model_of({1, 6, 4}, {node("Transpose", {"x"}, {"a"}, {{"perm", Ints{1, 0, 2}}}),
                                                 node("Relu", {"a"}, {"y"})})),
                   "net.onnx");
    fix_inputs(model, 4, {});
    try {
        simplify(model);
        FAIL();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(),
                    AllOf(HasSubstr("net.onnx: node \"/a\" (Transpose)"), HasSubstr("dynamic batch")));
    }
}

// Small files that ask for much: work and memory have limits that grow with the file.
TEST(OnnxSimplify, WorkOnConstantsIsLimited) {
    std::vector<Node> nodes;
    for (int i = 0; i < 2000; ++i) {
        nodes.push_back(node("ReduceSum", {"w"}, {"s" + std::to_string(i)}, {{"keepdims", std::int64_t{0}}}));
    }
    nodes.push_back(node("Add", {"x", "s0"}, {"y"}));
    const Tensor large = tensor_of("w", {20000}, Floats(20000, 1.0F));
    EXPECT_THAT(unsupported_reason(model_of({4}, nodes, {large}, 11)),
                HasSubstr("(ReduceSum): it computes constants"));
    // A chain of products is one product, and names its parts once.
    nodes.clear();
    constexpr int length = 5000;
    for (int i = 0; i < length; ++i) {
        nodes.push_back(node("Mul", {i == 0 ? "x" : "v" + std::to_string(i), "half"},
                             {i == length - 1 ? "y" : "v" + std::to_string(i + 1)}));
    }
    const Graph graph = simplified(model_of({4}, nodes, {scalar("half", 1.001F)}));
    ASSERT_EQ(graph.nodes.size(), 1U);
    EXPECT_EQ(graph.nodes[0].sources.size(), static_cast<std::size_t>(length));
}

TEST(OnnxSimplify, IntegersAreReducedExactly) {
    const Model model = model_of({1}, {node("ReduceProd", {"n"}, {"y"}, {{"keepdims", std::int64_t{0}}})},
                                 {integers("n", {16777217, 3})});
    EXPECT_EQ(simplified(model).initializer("y")->integers(), (Ints{50331651}));
}

// What the fuzzer starts from: each file has operators that no other has.
// The one constant that is added to the input once `computed` writes "c" and all else is folded.
Floats folded(Node computed, const Ints& shape, std::vector<Tensor> initializers) {
    const Graph graph = simplified(
        model_of(shape, {std::move(computed), node("Add", {"x", "c"}, {"y"})}, std::move(initializers)));
    EXPECT_THAT(operators(graph), ElementsAre("Add"));
    return graph.initializers.empty() ? Floats{} : graph.initializers.front().floats();
}

TEST(OnnxSimplify, ProductsOfConstantMatricesAreFolded) {
    EXPECT_THAT(folded(node("MatMul", {"a", "b"}, {"c"}), {2, 2},
                       {tensor_of("a", {2, 3}, Floats{1, 2, 3, 4, 5, 6}),
                        tensor_of("b", {3, 2}, Floats{1, 0, 0, 1, 2, -1})}),
                ElementsAre(7, -1, 16, -1));
    // Two matrices times one.
    EXPECT_THAT(
        folded(node("MatMul", {"a", "b"}, {"c"}), {2, 1, 1},
               {tensor_of("a", {2, 1, 2}, Floats{1, 2, 3, 4}), tensor_of("b", {2, 1}, Floats{10, 1})}),
        ElementsAre(12, 34));
}

TEST(OnnxSimplify, ConvsOfConstantsAreFolded) {
    const Tensor ones = tensor_of("a", {1, 1, 3, 3}, Floats(9, 1.0F));
    const Tensor kernel = tensor_of("k", {1, 1, 3, 3}, Floats(9, 1.0F));
    const auto conv = [](std::vector<std::string> inputs, std::int64_t stride, std::int64_t groups) {
        return node(
            "Conv", std::move(inputs), {"c"},
            {{"pads", Ints(4, groups == 1 ? 1 : 0)}, {"strides", Ints{stride, stride}}, {"group", groups}});
    };
    EXPECT_THAT(folded(conv({"a", "k"}, 1, 1), {1, 1, 3, 3}, {ones, kernel}),
                ElementsAre(4, 6, 4, 6, 9, 6, 4, 6, 4));
    EXPECT_THAT(
        folded(conv({"a", "k", "b"}, 2, 1), {1, 1, 2, 2}, {ones, kernel, tensor_of("b", {1}, Floats{0.5F})}),
        ElementsAre(4.5F, 4.5F, 4.5F, 4.5F));
    EXPECT_THAT(
        folded(conv({"a", "k"}, 1, 2), {1, 2, 1, 1},
               {tensor_of("a", {1, 2, 1, 1}, Floats{3, 5}), tensor_of("k", {2, 1, 1, 1}, Floats{2, -1})}),
        ElementsAre(6, -5));
}

TEST(OnnxSimplify, ConstantsThatTakeTooLongStayNodes) {
    const Ints size{1024, 1024};
    const Model model = model_of(
        {1, 1},
        {node("MatMul", {"a", "a"}, {"b"}), node("ReduceMean", {"b"}, {"m"}), node("Add", {"x", "m"}, {"y"})},
        {tensor_of("a", size, Floats(1024 * 1024, 0.0F))});
    EXPECT_THAT(operators(simplified(model)), ElementsAre("Gemm", "ReduceMean", "Add"));
}

TEST(OnnxSimplify, SeedsOfTheFuzzerAreRead) {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(HACSCALE_SOURCE_DIR "/tests/fuzz/seeds/onnx")) {
        const Graph graph = simplify(read_file(entry.path())).graph;
        EXPECT_FALSE(graph.nodes.empty()) << entry.path();
        EXPECT_TRUE(graph.outputs.front().sizes()) << entry.path();
        ++count;
    }
    EXPECT_GE(count, 8U);
}

TEST(OnnxInputs, TheBatchAndOpenAxesAreFixed) {
    Model model = conv_model();
    model.graph.inputs = {
        {"x", DataType::float32, {{{{}, "batch"}, {3, {}}, {{}, "height"}, {{}, "width"}}}}};
    const auto sizes = [&model](std::int64_t batch, const std::map<std::string, Ints>& shapes) {
        Model fixed = model;
        fix_inputs(fixed, batch, shapes);
        return fixed.graph.inputs.front().sizes().value_or(Ints{});
    };
    EXPECT_EQ(sizes(4, {{"x", {3, 32, 48}}}), (Ints{4, 3, 32, 48}));
    EXPECT_EQ(sizes(4, {{"x", {2, 3, 32, 48}}}), (Ints{2, 3, 32, 48}));
    const auto refused = [&sizes](const std::map<std::string, Ints>& shapes) {
        try {
            sizes(1, shapes);
        } catch (const InputError& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_THAT(refused({}), AllOf(HasSubstr("\"x\""), HasSubstr("batchx3xheightxwidth"),
                                   HasSubstr("--input x=3x224x224")));
    EXPECT_THAT(refused({{"x", {4, 32, 32}}}), HasSubstr("contradicts the file"));
    EXPECT_THAT(refused({{"x", {3, 32}}}), HasSubstr("does not fit"));
    EXPECT_THAT(refused({{"input", {3, 32, 32}}}), HasSubstr("no input \"input\""));
}

}  // namespace
}  // namespace hacscale::onnx
