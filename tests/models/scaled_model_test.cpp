#include "models/stages/scaled_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Scaled, TheBaseChoiceChangesNothing) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        EXPECT_EQ(scaled(base, choice_of(base)), base) << name;
    }
}

TEST(Scaled, TakesTheChoiceAsItIs) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        ScalingChoice choice = choice_of(base);
        for (int& width : choice.widths) width = (width / 8 + 1) * 16;  // even for groups of 16
        for (int& depth : choice.depths) depth += 2;
        choice.resolution += 32;
        const ModelSpec model = scaled(base, choice);
        EXPECT_EQ(choice_of(model), choice) << name;
        EXPECT_EQ(model.name, base.name);
        EXPECT_EQ(parse_model(to_yaml(model), name), model) << to_yaml(model);
        // Scaling what was scaled back to the base's stages finds the base's size again, but for rounded
        // followers.
        EXPECT_EQ(choice_of(scaled(model, choice_of(base))), choice_of(base)) << name;
    }
}

TEST(Scaled, MoreOfAnyDimensionCostsMore) {
    for (const char* name : {"resnet18", "resnet50", "wrn-16-4-cifar", "vgg16-bn", "mobilenetv1-1.0",
                             "mobilenetv3-small-1.0", "efficientnet-b0", "regnety-400mf"}) {
        const ModelSpec base = find_model(name);
        const Graph network = lower(base);
        for (std::size_t stage = 0; stage < base.stages.size(); ++stage) {
            ScalingChoice deeper = choice_of(base);
            deeper.depths[stage] += 1;
            EXPECT_GT(lower(scaled(base, deeper)).macs(), network.macs()) << name << " depth " << stage;
            EXPECT_GT(lower(scaled(base, deeper)).params(), network.params()) << name << " depth " << stage;
            std::int64_t macs = network.macs();
            for (int step = 1; step <= 4; ++step) {
                ScalingChoice wider = choice_of(base);
                wider.widths[stage] += 16 * step;
                const std::int64_t wider_macs = lower(scaled(base, wider)).macs();
                EXPECT_GT(wider_macs, macs) << name << " width " << stage;
                macs = wider_macs;
            }
        }
        ScalingChoice larger = choice_of(base);
        larger.resolution *= 2;
        EXPECT_GT(lower(scaled(base, larger)).macs(), network.macs()) << name;
    }
}

TEST(Scaled, InnerWidthsOfInvertedResidualsFollowTheBlocksInput) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    ScalingChoice choice = choice_of(base);
    choice.widths[1] = 40;  // 24 before
    choice.depths[1] = 3;
    const ModelSpec model = scaled(base, choice);
    EXPECT_THAT(model.stages[0].inner_widths, ElementsAre(32));             // reads the stem, which stays
    EXPECT_THAT(model.stages[1].inner_widths, ElementsAre(96, 240, 240));   // the first reads stage1's 16
    EXPECT_THAT(model.stages[2].inner_widths, ElementsAre(240, 192, 192));  // the first reads the new 40
    EXPECT_EQ(std::get<ConvSpec>(model.stem[0]).width, 32);
    EXPECT_EQ(std::get<ConvSpec>(model.head[0]).width, 1280);
}

TEST(Scaled, ABlockWithoutExpansionStaysWithout) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    ScalingChoice choice = choice_of(base);
    choice.widths[0] = 24;
    choice.depths[0] = 2;
    const ModelSpec model = scaled(base, choice);
    EXPECT_EQ(std::get<ConvSpec>(model.stem[0]).width, 48);  // keeps its ratio of two to the first stage
    EXPECT_THAT(model.stages[0].inner_widths, ElementsAre(48, 24));
    const Graph network = lower(model);
    EXPECT_EQ(network.nodes[1].name, "stage1.block1.depthwise");
    EXPECT_EQ(network.nodes[3].name, "stage1.block2.depthwise");
}

TEST(Scaled, InnerWidthsOfBottlenecksFollowTheirWidthOnTheirGrid) {
    const ModelSpec resnet = find_model("resnet50");
    ScalingChoice choice = choice_of(resnet);
    choice.widths[0] = 328;
    EXPECT_THAT(scaled(resnet, choice).stages[0].inner_widths, ElementsAre(80, 80, 80));  // 82, in eights

    const ModelSpec regnet = find_model("regnetx-400mf");
    choice = choice_of(regnet);
    choice.widths[1] = 72;
    EXPECT_THAT(scaled(regnet, choice).stages[1].inner_widths, ElementsAre(80, 80));  // 72, in sixteens
    EXPECT_THAT(scaled(regnet, choice).stages[2].inner_widths, ::testing::Each(160));
}

TEST(Scaled, HeadConvsFollowTheLastStageAndLinearLayersDoNot) {
    const ModelSpec base = find_model("mobilenetv3-large-1.0");
    ScalingChoice choice = choice_of(base);
    choice.widths.back() = 240;
    const ModelSpec model = scaled(base, choice);
    EXPECT_EQ(std::get<ConvSpec>(model.head[0]).width, 1440);
    EXPECT_EQ(std::get<LinearSpec>(model.head[2]).width, 1280);
}

TEST(Scaled, RefusesChoicesThatDoNotFit) {
    const ModelSpec base = find_model("resnet18");
    const auto message = [&](auto spoil) -> std::string {
        ScalingChoice choice = choice_of(base);
        spoil(choice);
        try {
            scaled(base, choice);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(message([](ScalingChoice& c) { c.widths.pop_back(); }),
                HasSubstr("3 widths, but the model has 4 stages"));
    EXPECT_THAT(message([](ScalingChoice& c) { c.depths.push_back(1); }), HasSubstr("5 depths"));
    EXPECT_THAT(message([](ScalingChoice& c) { c.widths[2] = 0; }), HasSubstr("stage 'stage3': width is 0"));
    EXPECT_THAT(message([](ScalingChoice& c) { c.widths[0] = 2'000'000'000; }),
                HasSubstr("expected 1 to 65536"));
    EXPECT_THAT(message([](ScalingChoice& c) { c.depths[1] = 2'000'000'000; }),
                HasSubstr("expected 1 to 1000"));
    EXPECT_THAT(message([](ScalingChoice& c) { c.resolution = -1; }), HasSubstr("resolution is -1"));
}

TEST(Scaled, InnerWidthsMayBeChosenBlockByBlock) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    ScalingChoice choice = choice_of(base);
    choice.inner_widths.resize(base.stages.size());
    choice.inner_widths[1] = {120, 136};
    const ModelSpec model = scaled(base, choice);
    EXPECT_THAT(model.stages[1].inner_widths, ElementsAre(120, 136));
    EXPECT_EQ(model.stages[2], base.stages[2]);

    EXPECT_EQ(canonical(base, choice), choice);
    choice.inner_widths[2] = base.stages[2].inner_widths;
    EXPECT_TRUE(canonical(base, choice).inner_widths[2].empty());
    choice.inner_widths[1] = base.stages[1].inner_widths;
    EXPECT_EQ(canonical(base, choice), choice_of(base));

    choice.inner_widths[1] = {120};
    EXPECT_THROW(scaled(base, choice), InputError);
    choice.inner_widths.pop_back();
    EXPECT_THROW(scaled(base, choice), InputError);
    ScalingChoice separable = choice_of(find_model("mobilenetv1-0.5"));
    separable.inner_widths.resize(separable.widths.size());
    separable.inner_widths[0] = {16};
    EXPECT_THROW(scaled(find_model("mobilenetv1-0.5"), separable), InputError);
}

TEST(InnerRule, FollowsAsScaledDoesAndKnowsWhichBlocksAreFree) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        ScalingChoice choice = choice_of(base);
        for (int& width : choice.widths) width = (width / 8 + 1) * 16;
        for (int& depth : choice.depths) depth += 2;
        const ModelSpec model = scaled(base, choice);
        for (int s = 0; s < static_cast<int>(base.stages.size()); ++s) {
            const InnerRule rule(base, s);
            const StageSpec& stage = model.stages[static_cast<std::size_t>(s)];
            for (int block = 0; block < stage.depth && has_inner_width(stage.block); ++block) {
                const int input = block == 0 ? stage_input_width(model, s) : stage.width;
                const int inner = stage.inner_widths[static_cast<std::size_t>(block)];
                EXPECT_EQ(rule.derived(block, input, stage.width), inner) << name;
                // Only what has no expansion conv cannot be chosen.
                if (!rule.is_free(block)) {
                    EXPECT_EQ(inner, input) << name;
                }
            }
        }
    }
}

// 32 groups of 4 channels stay 32 groups, or groups of 4 channels, as asked for; the network is the same.
TEST(KeptGroups, StayAsWidthsChange) {
    ModelSpec base = find_model("resnet50");
    for (StageSpec& stage : base.stages) stage.group_width = stage.inner_widths.front() / 16;
    const ModelSpec by_number = with_kept_groups(base, GroupedConvs::keep_count);
    EXPECT_EQ(lower(by_number).macs(), lower(base).macs());
    EXPECT_EQ(with_kept_groups(by_number, GroupedConvs::keep_width), base);
    EXPECT_THAT(groups_of(base), ::testing::Each(16));
    ScalingChoice choice = choice_of(base);
    for (int& width : choice.widths) width = width * 3 / 4;
    EXPECT_THAT(groups_of(scaled(by_number, choice)), ::testing::Each(16));
    EXPECT_THAT(groups_of(scaled(base, choice)), ::testing::Each(12));
    for (const StageSpec& stage : scaled(by_number, choice).stages) {
        EXPECT_EQ(stage.inner_widths.front() % 16, 0);
    }
}

TEST(KeptGroups, LeaveNetworksWithoutGroupsAsTheyAre) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    EXPECT_EQ(with_kept_groups(base, GroupedConvs::keep_count), base);
    EXPECT_EQ(with_kept_groups(base, GroupedConvs::keep_width), base);
}

}  // namespace
}  // namespace hacscale
