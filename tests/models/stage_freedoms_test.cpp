// What stages can say beyond the blocks of the zoo: networks written out, with their published counts, and values that make
// no sense.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ModelSpec parsed(const std::string& yaml) {
    return parse_model(yaml, "net.yaml");
}

const std::string resnet_stem = R"(
stem:
  - conv: {width: 64, kernel: 7, stride: 2}
  - max_pool: {kernel: 3, stride: 2, padding: 1}
)";

// Four stages of bottlenecks with these further keys.
std::string bottlenecks(const std::string& block, const std::string& keys,
                        const std::string& ratio = "0.25") {
    std::string yaml = "stages:\n";
    const int depths[] = {3, 4, 6, 3};
    for (int i = 0; i < 4; ++i) {
        yaml += "  - {name: stage" + std::to_string(i + 1) + ", block: " + block +
                ", width: " + std::to_string(256 << i) + ", depth: " + std::to_string(depths[i]) +
                ", stride: " + (i == 0 ? "1" : "2") + ", inner_ratio: " + ratio + keys + "}\n";
    }
    return yaml;
}

const std::string classifier = "head: [global_avg_pool, linear]\n";
const std::string imagenet = "name: net\ninput: {resolution: 224}\nclasses: 1000\n";

struct Published {
    const char* name;
    std::string yaml;
    std::int64_t params;
    std::int64_t macs;
};

// As timm (seresnet50, resnetv2_50, lcnet_100, seresnet18) and torchvision (alexnet, resnext50_32x4d) count them; of ResNet-50 with
// the stride in its first convs, He et al. 2016 say 3.8 G, and the parameters are those of the other form.
std::vector<Published> published() {
    std::string basic = imagenet + resnet_stem + "stages:\n";
    for (int i = 0; i < 4; ++i) {
        basic += "  - {block: basic, width: " + std::to_string(64 << i) +
                 ", depth: 2, stride: " + (i == 0 ? "1" : "2") +
                 ", squeeze_excite: {ratio: 0.0625, at: output, divisor: 8}}\n";
    }
    return {
        {"AlexNet", imagenet + R"(
stem:
  - conv: {width: 64, kernel: 11, stride: 4, padding: 2, batch_norm: false, bias: true}
  - max_pool: {kernel: 3, stride: 2}
stages:
  - {block: conv, width: 192, depth: 1, kernel: 5, batch_norm: false, pool: {kernel: 3, stride: 2}}
  - {block: conv, width: 384, depth: 1, batch_norm: false}
  - {block: conv, width: 256, depth: 2, batch_norm: false, pool: {kernel: 3, stride: 2}}
head:
  - linear: {width: 4096, activation: relu}
  - linear: {width: 4096, activation: relu}
  - linear: {}
)",
         61'100'840, 714'188'480},
        {"ResNet-50 v1",
         imagenet + resnet_stem + bottlenecks("bottleneck", ", stride_in: first") + classifier, 25'557'032,
         3'857'973'248},
        {"ResNeXt-50", imagenet + resnet_stem + bottlenecks("bottleneck", ", groups: 32", "0.5") + classifier,
         25'028'904, 4'230'479'872},
        {"SE-ResNet-50",
         imagenet + resnet_stem + bottlenecks("bottleneck", ", squeeze_excite: {ratio: 0.0625, at: output}") +
             classifier,
         28'088'024, 4'091'699'200},
        {"SE-ResNet-18", basic + classifier, 11'779'624, 1'814'161'408},
        {"ResNet-V2-50",
         imagenet +
             "stem:\n  - conv: {width: 64, kernel: 7, stride: 2, batch_norm: false, activation: none}\n"
             "  - max_pool: {kernel: 3, stride: 2, padding: 1}\n" +
             bottlenecks("preact_bottleneck", "") + "head: [norm, global_avg_pool, linear]\n",
         25'549'352, 4'089'184'256},
        {"LCNet", imagenet + R"(
activation: hard_swish
stem:
  - conv: {width: 16, stride: 2}
stages:
  - {block: separable, width: 32, depth: 1}
  - {block: separable, width: 64, depth: 2, stride: 2}
  - {block: separable, width: 128, depth: 2, stride: 2}
  - {block: separable, width: 256, depth: 1, stride: 2}
  - {block: separable, width: 256, depth: 5, kernel: 5}
  - {block: separable, width: 512, depth: 2, stride: 2, kernel: 5, squeeze_excite: {ratio: 0.25, gate: hard_sigmoid}}
head:
  - global_avg_pool
  - linear: {width: 1280, activation: hard_swish}
  - linear: {}
)",
         2'953'800, 155'700'480},
    };
}

TEST(StageFreedoms, HaveThePublishedCounts) {
    for (const Published& expected : published()) {
        const Graph network = lower(parsed(expected.yaml));
        EXPECT_EQ(network.params(), expected.params) << expected.name;
        EXPECT_EQ(network.macs(), expected.macs) << expected.name;
    }
}

TEST(StageFreedoms, AreWrittenAsTheyAreRead) {
    for (const Published& model : published()) {
        const ModelSpec read = parsed(model.yaml);
        EXPECT_EQ(parsed(to_yaml(read)), read) << to_yaml(read);
    }
}

// Hashes of before there were these keys: tables and records of trainings name them.
TEST(StageFreedoms, LeaveTheHashesOfOtherModels) {
    const std::pair<const char*, const char*> hashes[] = {
        {"resnet18", "ec2565725b2e2e84"},        {"resnet50", "af07a4e62f134acc"},
        {"vgg16-bn", "d8dada10e2f19724"},        {"wrn-16-4-cifar", "d3a3bf448f1a0760"},
        {"mobilenetv1-1.0", "c0262035e563fe8f"}, {"mobilenetv3-small-1.0", "0ad47c5e8081bc59"},
        {"efficientnet-b0", "c7cd140aa7e372a3"}, {"regnety-400mf", "ec45784dff66b07a"},
    };
    for (const auto& [name, hash] : hashes) EXPECT_EQ(model_hash(find_model(name)), hash) << name;
}

TEST(StageFreedoms, PaddingMayBeOtherThanHalfTheKernel) {
    const Graph network =
        lower(parsed("name: patch\ninput: {resolution: 224}\nclasses: 10\n"
                     "stem: [conv: {width: 96, kernel: 4, stride: 4, padding: 0}]\n" +
                     classifier));
    EXPECT_EQ(network.nodes[0].layer.out_height(), 56);
    const Graph dilated =
        lower(parsed("name: atrous\ninput: {resolution: 64}\nclasses: 10\n"
                     "stages: [{block: conv, width: 8, depth: 2, dilation: 4, kernel: 5}]\n" +
                     classifier));
    EXPECT_EQ(dilated.nodes[1].layer.key(), "conv_i8x64x64_o8_k5_s1_p8_d4_g1_bias_relu");
}

TEST(StageFreedoms, InputsMayBeRectangles) {
    ModelSpec model = find_model("resnet18");
    const auto conv_macs = [](const ModelSpec& spec) {
        return lower(spec).macs() - 512 * 1000;  // of all but the last linear layer
    };
    const double square = static_cast<double>(conv_macs(model));
    model.resolution = 288;
    model.resolution_width = 512;
    EXPECT_NEAR(static_cast<double>(conv_macs(model)) / square, 2.94, 0.005);
    EXPECT_THAT(to_yaml(model), HasSubstr("resolution: [288, 512]"));
    EXPECT_EQ(parsed(to_yaml(model)), model);

    ScalingChoice choice = choice_of(model);
    choice.resolution = 360;
    EXPECT_EQ(scaled(model, choice).resolution_width, 640);
    choice.resolution = 300;
    try {
        scaled(model, choice);
        ADD_FAILURE();
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("288 x 512"), HasSubstr("multiple of 9")));
    }
}

// A detector's backbone: maps at strides 8, 16 and 32.
TEST(StageFreedoms, StagesMayBeOutputs) {
    ModelSpec model = parsed("name: backbone\ninput: {resolution: 640}\n" + resnet_stem +
                             bottlenecks("bottleneck", "") + "outputs: [stage2, stage3, stage4]\n");
    const Graph network = lower(model);
    ASSERT_EQ(network.outputs.size(), 3U);
    for (int i = 0; i < 3; ++i) {
        const Tensor& map = network.tensors[network.outputs[i]];
        EXPECT_EQ(map.channels, 512 << i);
        EXPECT_EQ(map.height, 80 >> i);
    }
    EXPECT_EQ(parsed(to_yaml(model)), model) << to_yaml(model);

    EXPECT_THAT(given_widths(model), ::testing::ElementsAre(false, true, true, true));
    ScalingChoice choice = choice_of(model);
    choice.widths[0] = 320;
    EXPECT_EQ(scaled(model, choice).stages[0].width, 320);
    choice.widths[2] = 1280;
    EXPECT_THROW(scaled(model, choice), InputError);

    // One map, of a network without a classifier.
    model.output_stages.clear();
    EXPECT_EQ(lower(model).tensors[lower(model).outputs.front()].height, 20);
    EXPECT_EQ(parsed(to_yaml(model)), model) << to_yaml(model);
}

TEST(StageFreedoms, AnExpansionConvOfEqualWidthsIsKeptWhenToldSo) {
    const std::string begin = "name: net\ninput: {channels: 16, resolution: 32}\nstages: [{block: ";
    const std::string end = ", width: 16, depth: 1, expansion: 1";
    const auto layers = [&](const std::string& block, const std::string& keys) {
        std::string names;
        for (const Node& node : lower(parsed(begin + block + end + keys + "}]")).nodes)
            names += node.name + " ";
        return names;
    };
    EXPECT_EQ(layers("inverted_residual", ""), "stage1.block1.depthwise stage1.block1.project ");
    EXPECT_EQ(layers("inverted_residual", ", keep_expansion: true"),
              "stage1.block1.expand stage1.block1.depthwise stage1.block1.project ");
    EXPECT_EQ(layers("fused_inverted_residual", ""), "stage1.block1.conv stage1.block1.add ");
    EXPECT_EQ(layers("fused_inverted_residual", ", keep_expansion: true"),
              "stage1.block1.expand stage1.block1.project ");

    ModelSpec model =
        parsed(begin + "inverted_residual" + end + ", keep_expansion: true}]\nhead: [conv: {width: 8}]");
    EXPECT_TRUE(InnerRule(model, 0).is_free(0));
    model.stages[0].keep_expansion = false;
    EXPECT_FALSE(InnerRule(model, 0).is_free(0));
}

TEST(StageFreedoms, GroupsKeepTheirNumberAndGroupWidthsTheirWidth) {
    const ModelSpec model =
        parsed(imagenet + resnet_stem + bottlenecks("bottleneck", ", groups: 32", "0.5") + classifier);
    ScalingChoice choice = choice_of(model);
    choice.widths[0] = 328;
    const Graph network = lower(scaled(model, choice));
    for (const Node& node : network.nodes) {
        if (node.name.ends_with("conv2")) {
            EXPECT_EQ(node.layer.groups, 32) << node.name;
        }
    }
}

TEST(StageFreedoms, OutputsNeverChange) {
    const ModelSpec model = parsed(R"(
name: allcnn
input: {resolution: 32}
classes: 10
stages:
  - {name: a, block: conv, width: 96, depth: 2}
  - {name: b, block: conv, width: 192, depth: 1, kernel: 1}
head:
  - conv: {width: 384, kernel: 1}
  - conv: {width: 10, kernel: 1, batch_norm: false, bias: true, activation: none}
  - global_avg_pool
)");
    ScalingChoice choice = choice_of(model);
    choice.widths = {128, 256};
    const ModelSpec wider = scaled(model, choice);
    EXPECT_EQ(std::get<ConvSpec>(wider.head[0]).width, 512);
    EXPECT_EQ(std::get<ConvSpec>(wider.head[1]).width, 10);
}

TEST(StageFreedoms, SkipsBetweenStagesAreKnown) {
    const ModelSpec model = find_model("mobilenetv4-conv-small");  // 3a, 3b and 3c are tied, and 4a to 4e
    EXPECT_FALSE(tied_to_before(model, 4));
    EXPECT_TRUE(tied_to_before(model, 5));
    std::vector<int> widths = choice_of(model).widths;
    EXPECT_TRUE(keeps_skips(model, widths));
    for (const std::size_t stage : {4, 5, 6}) widths[stage] = 104;
    EXPECT_TRUE(keeps_skips(model, widths));
    widths[5] = 112;
    EXPECT_FALSE(keeps_skips(model, widths));
    const ModelSpec mobilenet = find_model("mobilenetv2-1.0");
    widths = choice_of(mobilenet).widths;
    widths[4] = widths[3];  // 64 after 64: an add that the base does not have
    EXPECT_FALSE(keeps_skips(mobilenet, widths));
}

TEST(StageFreedoms, BatchNormsHaveTheModelsEpsilon) {
    const ModelSpec model = parsed(
        "name: net\ninput: {resolution: 32}\nclasses: 10\nbatch_norm_epsilon: 0.001\n"
        "stages: [{block: preact_basic, width: 8, depth: 1}]\n" +
        classifier);
    for (const Node& node : lower(model).nodes) EXPECT_EQ(node.batch_norm_epsilon, 0.001);
    EXPECT_THAT(to_yaml(model), HasSubstr("batch_norm_epsilon: 0.001"));
    EXPECT_EQ(parsed(to_yaml(model)), model);
}

TEST(StageFreedoms, ValuesThatMakeNoSenseAreRefusedWithTheirPlace) {
    const struct {
        const char* stage;  // line 4
        const char* message;
    } cases[] = {
        {"block: conv, padding: 3", "padding is 3, expected 0 to 2"},
        {"block: basic, padding: 0", "the padding that keeps the map's size"},
        {"block: conv, dilation: 40000", "kernel with its dilation is 80001"},
        {"block: conv, dilation: 0", "dilation: expected a whole number from 1"},
        {"block: conv, groups: 3", "groups"},
        {"block: basic, groups: 2", "groups belong to conv and bottleneck blocks"},
        {"block: bottleneck, inner_width: 8, groups: 3", "3 groups do not divide the inner width 8"},
        {"block: bottleneck, inner_width: 8, groups: 2, group_width: 4", "give one of them"},
        {"block: preact_basic, batch_norm: false", "begin with a batch-norm"},
        {"block: basic, stride_in: first", "only bottleneck blocks"},
        {"block: bottleneck, inner_width: 8, stride_in: last", "expected spatial or first, found 'last'"},
        {"block: bottleneck, inner_width: 8, keep_expansion: true", "belongs to inverted residuals"},
        {"block: conv, start_kernel: 3", "belongs to universal inverted bottlenecks"},
        {"block: conv, kernel: 0", "kernel: expected a whole number from 1"},
        {"block: universal_inverted_bottleneck, expansion: 2, kernel: 0, stride: 2",
         "needs a depthwise conv"},
        {"block: universal_inverted_bottleneck, expansion: 2, padding: 0", "keeps a map's size"},
        {"block: conv, squeeze_excite: {ratio: 0.5}", "not to conv blocks"},
        {"block: basic, squeeze_excite: {ratio: 0.5}", "expected 'at: output'"},
        {"block: separable, squeeze_excite: {ratio: 0.5, at: output}", "expected 'at: inner'"},
        {"block: basic, squeeze_excite: {ratio: 0.5, at: top}", "expected inner or output, found 'top'"},
    };
    for (const auto& [stage, message] : cases) {
        const std::string yaml =
            std::string("name: net\ninput: {channels: 8, resolution: 32}\nstages:\n  - {width: 8, ") +
            "depth: 1, " + stage + "}\n";
        try {
            parsed(yaml);
            ADD_FAILURE() << "accepted: " << stage;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), AllOf(HasSubstr("net.yaml:4"), HasSubstr(message))) << stage;
        }
    }
}

TEST(StageFreedoms, WhatAModelSaysMustFitItsParts) {
    const std::string stages =
        "stages: [{name: a, block: conv, width: 8, depth: 1}, {name: b, block: conv, width: 8, "
        "depth: 1}]\n";
    const struct {
        std::string yaml;
        const char* message;
    } cases[] = {
        {"input: {resolution: 32}\n" + stages + "outputs: [c]\n", "no stage is called 'c'"},
        {"input: {resolution: 32}\n" + stages + "outputs: [b, a]\n", "each once, in their order"},
        {"input: {resolution: 32}\n" + stages + "outputs: [a]\n", "nothing reads what comes after stage 'a'"},
        {"input: {resolution: 32}\n" + stages + "head: [linear]\n", "no width and the model no classes"},
        {"input: {resolution: [32]}\n" + stages, "expected one number or [height, width]"},
        {"input: {resolution: [32, 0]}\n" + stages, "resolution: expected a whole number from 1"},
        {"input: {resolution: 32}\nbatch_norm_epsilon: 0\n" + stages,
         "batch_norm_epsilon: expected a number above 0"},
        {"input: {resolution: 32}\nstem: [conv: {width: 8, groups: 2}]\n", "groups"},
        {"input: {resolution: 32}\nstem: [conv: {width: 8, padding: 3}]\n", "padding is 3, expected 0 to 2"},
    };
    for (const auto& [yaml, message] : cases) {
        try {
            parsed("name: net\n" + yaml);
            ADD_FAILURE() << "accepted: " << yaml;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), AllOf(HasSubstr("net.yaml:"), HasSubstr(message))) << yaml;
        }
    }
}

}  // namespace
}  // namespace hacscale
