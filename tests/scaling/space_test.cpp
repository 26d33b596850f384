#include "scaling/space.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

TEST(ScalingSpace, HoldsTheBaseOfEveryModel) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec base = find_model(name);
        EXPECT_TRUE(make_space(base, {}).contains(choice_of(base))) << name;
    }
}

TEST(ScalingSpace, WidthsAreOnTheGridWithinTheRatios) {
    const ModelSpec base = find_model("mobilenetv2-1.0");
    SpaceSettings settings;
    settings.grid = 16;
    const ScalingSpace space = make_space(base, settings);
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        const int base_width = base.stages[s].width;
        for (const int width : space.stages[s].widths) {
            if (width == base_width) continue;
            EXPECT_EQ(width % 16, 0);
            EXPECT_GE(2 * width, base_width);
            EXPECT_LE(width, 2 * base_width);
        }
    }
}

TEST(ScalingSpace, DecimalRatiosReachTheirEnds) {
    ModelSpec base = find_model("resnet20-cifar");
    base.stages[0].width = 80;
    SpaceSettings settings;
    settings.min_width_ratio = 0.7;  // 0.7 x 80 is a hair below 56 in binary
    settings.max_width_ratio = 1.1;  // 1.1 x 80 is a hair above 88
    const ScalingSpace space = make_space(base, settings);
    EXPECT_EQ(space.stages[0].widths, (std::vector<int>{56, 64, 72, 80, 88}));
}

TEST(ScalingSpace, DepthsKeepAtLeastOneBlock) {
    const ScalingSpace space = make_space(find_model("mobilenetv2-1.0"), {});
    EXPECT_EQ(space.stages[0].depths, (std::vector<int>{1, 2}));                 // base 1
    EXPECT_EQ(space.stages[3].depths, (std::vector<int>{2, 3, 4, 5, 6, 7, 8}));  // base 4
}

TEST(ScalingSpace, CountsItsChoices) {
    const ModelSpec base = find_model("resnet20-cifar");
    SpaceSettings settings;
    settings.min_width_ratio = settings.max_width_ratio = 1.0;
    settings.resolutions = {28, 36};
    const ScalingSpace space = make_space(base, settings);
    double count = 3;
    for (const StageSpace& stage : space.stages) count *= static_cast<double>(stage.depths.size());
    EXPECT_NEAR(space.log10_size(), std::log10(count), 1e-12);
    EXPECT_EQ(space.resolutions, (std::vector<int>{28, 32, 36}));
}

TEST(ScalingSpace, RefusesSettingsThatMakeNoSense) {
    const ModelSpec base = find_model("resnet20-cifar");
    const auto refused = [&](auto change) {
        SpaceSettings settings;
        change(settings);
        EXPECT_THROW(make_space(base, settings), InputError);
    };
    refused([](SpaceSettings& settings) { settings.grid = 0; });
    refused([](SpaceSettings& settings) { settings.min_width_ratio = 0.0; });
    refused([](SpaceSettings& settings) { settings.min_width_ratio = 1.5; });
    refused([](SpaceSettings& settings) { settings.max_width_ratio = 0.9; });
    refused([](SpaceSettings& settings) { settings.max_depth_ratio = std::nan(""); });
    refused([](SpaceSettings& settings) { settings.min_depth_ratio = -1.0; });
    refused([](SpaceSettings& settings) { settings.resolutions = {0}; });
    EXPECT_THROW(make_space(ModelSpec{}, {}), InputError);

    SpaceSettings settings;
    settings.resolutions = {16};  // the last pool would have a single pixel to read
    try {
        make_space(find_model("vgg16-bn-cifar"), settings);
        FAIL() << "accepted";
    } catch (const InputError& error) {
        EXPECT_NE(std::string(error.what()).find("resolution 16"), std::string::npos);
    }
}

TEST(ScalingSpace, RefusesListsThatDoNotFitTheBase) {
    const ModelSpec base = find_model("resnet20-cifar");
    const ScalingSpace space = make_space(base, {});
    EXPECT_NO_THROW(check(space, base));
    const auto refused = [&](auto change) {
        ScalingSpace changed = space;
        change(changed);
        EXPECT_THROW(check(changed, base), InputError);
    };
    refused([](ScalingSpace& changed) { changed.stages.pop_back(); });
    refused([](ScalingSpace& changed) { changed.stages[0].widths.clear(); });
    refused([](ScalingSpace& changed) { changed.stages[0].widths = {8, 24}; });  // the base's 16 is missing
    refused([](ScalingSpace& changed) { changed.stages[0].widths = {16, 16}; });
    refused([](ScalingSpace& changed) { changed.stages[1].depths = {0, 3}; });
    refused([](ScalingSpace& changed) { changed.resolutions = {64}; });
}

}  // namespace
}  // namespace hacscale
