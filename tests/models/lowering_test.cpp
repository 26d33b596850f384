#include "models/stages/lowering.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/stages/model_problem.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A model of one stage that reads `in_channels` channels.
ModelSpec one_stage(StageSpec stage, int in_channels = 16) {
    ModelSpec model;
    model.in_channels = in_channels;
    model.resolution = 32;
    stage.name = "s";
    model.stages = {std::move(stage)};
    return model;
}

std::vector<std::string> described(const Graph& network) {
    std::vector<std::string> lines;
    for (const Node& node : network.nodes) {
        std::string line =
            node.name + " " + node.layer.key() + " < " + std::to_string(network.source_of(node));
        if (node.layer.residual) line += " + " + std::to_string(network.source_of(node, 1));
        lines.push_back(line);
    }
    return lines;
}

TEST(Lowering, BasicBlockProjectsOnlyWhereShapesDiffer) {
    const Graph network = lower(one_stage(
        {.block = BlockKind::basic, .width = 32, .depth = 2, .stride = 2, .inner_widths = {32, 24}}));
    EXPECT_THAT(described(network),
                ElementsAre("s.block1.shortcut conv_i16x32x32_o32_k1_s2_p0_g1_bias < -1",
                            "s.block1.conv1 conv_i16x32x32_o32_k3_s2_p1_g1_bias_relu < -1",
                            "s.block1.conv2 conv_i32x16x16_o32_k3_s1_p1_g1_bias_add_relu < 1 + 0",
                            "s.block2.conv1 conv_i32x16x16_o24_k3_s1_p1_g1_bias_relu < 2",
                            "s.block2.conv2 conv_i24x16x16_o32_k3_s1_p1_g1_bias_add_relu < 3 + 2"));
    EXPECT_EQ(network.nodes[0].learned_params,
              16 * 32 + 2 * 32);  // weights, and the batch-norm's scale and shift
    EXPECT_EQ(network.nodes[3].block, 1);
}

TEST(Lowering, PreactivationFeedsBothConvsOfAProjectedBlock) {
    const Graph network = lower(one_stage(
        {.block = BlockKind::preact_basic, .width = 32, .depth = 2, .stride = 2, .inner_widths = {32, 32}}));
    EXPECT_THAT(described(network), ElementsAre("s.block1.norm scale_shift_i16x32x32_relu < -1",
                                                "s.block1.shortcut conv_i16x32x32_o32_k1_s2_p0_g1 < 0",
                                                "s.block1.conv1 conv_i16x32x32_o32_k3_s2_p1_g1_bias_relu < 0",
                                                "s.block1.conv2 conv_i32x16x16_o32_k3_s1_p1_g1_add < 2 + 1",
                                                "s.block2.norm scale_shift_i32x16x16_relu < 3",
                                                "s.block2.conv1 conv_i32x16x16_o32_k3_s1_p1_g1_bias_relu < 4",
                                                "s.block2.conv2 conv_i32x16x16_o32_k3_s1_p1_g1_add < 5 + 3"));
}

TEST(Lowering, GroupedBottleneckWithSqueezeExciteOfItsInput) {
    const Graph network =
        lower(one_stage({.block = BlockKind::bottleneck,
                         .width = 32,
                         .inner_widths = {24},
                         .group_width = 8,
                         .squeeze_excite = SqueezeExciteSpec{.ratio = 0.25, .from = SqueezeFrom::input}}));
    EXPECT_THAT(described(network),
                ElementsAre("s.block1.shortcut conv_i16x32x32_o32_k1_s1_p0_g1_bias < -1",
                            "s.block1.conv1 conv_i16x32x32_o24_k1_s1_p0_g1_bias_relu < -1",
                            "s.block1.conv2 conv_i24x32x32_o24_k3_s1_p1_g3_bias_relu < 1",
                            "s.block1.squeeze_excite squeeze_excite_i24x32x32_r4_relu_sigmoid < 2",
                            "s.block1.conv3 conv_i24x32x32_o32_k1_s1_p0_g1_bias_add_relu < 3 + 0"));
}

TEST(Lowering, InvertedResidualDropsAnExpansionOfOneAndAddsEqualShapes) {
    const Graph network = lower(one_stage({.block = BlockKind::inverted_residual,
                                           .width = 16,
                                           .depth = 2,
                                           .kernel = 5,
                                           .inner_widths = {16, 96},
                                           .activation = Activation::relu6}));
    EXPECT_THAT(described(network),
                ElementsAre("s.block1.depthwise conv_i16x32x32_o16_k5_s1_p2_g16_bias_relu6 < -1",
                            "s.block1.project conv_i16x32x32_o16_k1_s1_p0_g1_bias_add < 0 + -1",
                            "s.block2.expand conv_i16x32x32_o96_k1_s1_p0_g1_bias_relu6 < 1",
                            "s.block2.depthwise conv_i96x32x32_o96_k5_s1_p2_g96_bias_relu6 < 2",
                            "s.block2.project conv_i96x32x32_o16_k1_s1_p0_g1_bias_add < 3 + 1"));
}

TEST(Lowering, FusedInvertedResidualExpandsWithItsSpatialConv) {
    const Graph network = lower(one_stage(
        {.block = BlockKind::fused_inverted_residual, .width = 24, .stride = 2, .inner_widths = {64}}));
    EXPECT_THAT(described(network),
                ElementsAre("s.block1.expand conv_i16x32x32_o64_k3_s2_p1_g1_bias_relu < -1",
                            "s.block1.project conv_i64x16x16_o24_k1_s1_p0_g1_bias < 0"));
}

TEST(Lowering, ConvAndSeparableStagesAndTheirPool) {
    ModelSpec model =
        one_stage({.block = BlockKind::conv, .width = 8, .bias = true, .pool = MaxPoolSpec{2, 2, 0}}, 3);
    model.stages.push_back({.block = BlockKind::separable, .width = 16, .stride = 2});
    model.head = {LinearSpec{.width = 5, .activation = Activation::relu}, LinearSpec{.bias = false}};
    const Graph network = lower(model);
    EXPECT_THAT(
        described(network),
        ElementsAre("s.block1.conv conv_i3x32x32_o8_k3_s1_p1_g1_bias_relu < -1",
                    "s.max_pool max_pool_i8x32x32_k2_s2_p0 < 0",
                    "stage2.block1.depthwise conv_i8x16x16_o8_k3_s2_p1_g8_bias_relu < 1",
                    "stage2.block1.pointwise conv_i8x8x8_o16_k1_s1_p0_g1_bias_relu < 2",
                    "head.linear1 linear_i16x8x8_o5_bias_relu < 3", "head.linear2 linear_i5x1x1_o1000 < 4"));
    EXPECT_EQ(network.nodes[0].learned_params,
              3 * 3 * 3 * 8 + 3 * 8);  // the conv's own bias beside the batch-norm
    EXPECT_EQ(network.nodes[0].stage, 0);
    EXPECT_EQ(network.nodes[2].stage, 1);
    EXPECT_EQ(network.nodes[4].stage, 2);
}

TEST(Lowering, EveryLayerGetsTheModelsLayout) {
    ModelSpec model = find_model("mobilenetv3-small-1.0");
    model.layout = Layout::blocked;
    for (const Node& node : lower(model).nodes) {
        EXPECT_EQ(node.layer.layout, Layout::blocked) << node.name;
    }
}

TEST(Lowering, ShapesConnectInAnyModel) {
    testing::Generator generate(5);
    int sound_models = 0;
    for (int i = 0; i < 3'000; ++i) {
        const ModelSpec model = generate.model();
        Graph network;
        try {
            network = lower(model);
        } catch (const InputError&) {
            continue;
        }
        ++sound_models;
        ASSERT_EQ(validate(network).value_or(""), "");
        ASSERT_EQ(network.inputs.size(), 1U);
        ASSERT_EQ(network.outputs.back(), network.nodes.back().outputs.front());
        const bool own_output = model.output_stages.empty() || !model.head.empty();
        ASSERT_EQ(network.outputs.size(), model.output_stages.size() + (own_output ? 1 : 0));
    }
    EXPECT_GT(sound_models, 1'000);
}

TEST(Check, NamesThePartThatDoesNotFit) {
    const ModelSpec valid =
        one_stage({.block = BlockKind::bottleneck, .width = 32, .inner_widths = {16}, .group_width = 8});
    ASSERT_NO_THROW(check(valid));
    const struct {
        void (*spoil)(ModelSpec&);
        const char* fragment;
    } cases[] = {
        {[](ModelSpec& m) { m.stages[0].width = 0; }, "stage 's': width is 0, expected 1 to 65536"},
        {[](ModelSpec& m) { m.stages[0].width = 1'000'000'000; }, "1000000000"},
        {[](ModelSpec& m) { m.stages[0].depth = -1; }, "depth is -1, expected 1 to 1000"},
        {[](ModelSpec& m) { m.stages[0].depth = 2; }, "1 inner widths, expected 2"},
        {[](ModelSpec& m) { m.stages[0].inner_widths = {20}; },
         "group width 8 does not divide the inner width 20"},
        {[](ModelSpec& m) { m.stages[0].kernel = 2; }, "odd kernel"},
        {[](ModelSpec& m) { m.stages[0].block = BlockKind::basic; }, "a group width belongs to bottleneck"},
        {[](ModelSpec& m) {
             m.stages[0].pool = MaxPoolSpec{2, 2, 2};
         },
         "padding is 2, expected 0 to 1"},
        {[](ModelSpec& m) { m.stages[0].squeeze_excite = SqueezeExciteSpec{.ratio = 0.0}; }, "ratio is 0"},
        {[](ModelSpec& m) { m.stages[0].squeeze_excite = SqueezeExciteSpec{.gate = Activation::relu}; },
         "gate is relu"},
        {[](ModelSpec& m) { m.resolution = 0; }, "resolution is 0"},
        {[](ModelSpec& m) { m.stages.clear(); }, "no layers"},
        {[](ModelSpec& m) { m.stages.resize(65, m.stages[0]); },
         "stages has 65 entries, expected at most 64"},
        {[](ModelSpec& m) { m.stem = {LinearSpec{}}; }, "entry 1 of the stem: width is 0"},
        {[](ModelSpec& m) {
             m.stem = {MaxPoolSpec{40, 1, 0}};
         },
         "32x32 input is smaller than the 40x40 window"},
        {[](ModelSpec& m) {
             m.head = {LinearSpec{}, LinearSpec{}};
         },
         "entry 1 of the head: width is 0"},
        {[](ModelSpec& m) {
             m.resolution = 65536;
             m.stages[0].width = 65536;
         },
         "too large"},
        {[](ModelSpec& m) {
             m.resolution = 4096;
             m.stages[0] = {.block = BlockKind::conv, .width = 64, .depth = 10};
         },
         "more than 2^40 MACs"},
    };
    for (const auto& [spoil, fragment] : cases) {
        ModelSpec model = valid;
        spoil(model);
        try {
            check(model);
            ADD_FAILURE() << "accepted, expected: " << fragment;
        } catch (const ModelProblem& problem) {
            EXPECT_THAT(problem.what(), HasSubstr(fragment));
        }
    }
}

}  // namespace
}  // namespace hacscale
