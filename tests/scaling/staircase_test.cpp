#include "scaling/staircase.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/network.hpp"
#include "models/scaled_model.hpp"
#include "models/zoo.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

// What a stage's width touches is all that changes: differences equal those of the whole network.
TEST(Staircase, DifferencesAreThoseOfTheWholeNetwork) {
    const SyntheticSource source;
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "vgg16-bn-cifar", "regnety-400mf"}) {
        const ModelSpec base = find_model(name);
        const Network network = lower(base);
        for (int stage = 0; stage < static_cast<int>(base.stages.size()); ++stage) {
            const StageView view(base, stage);
            const int width = base.stages[static_cast<std::size_t>(stage)].width;
            ScalingChoice choice = choice_of(base);
            choice.widths[static_cast<std::size_t>(stage)] = 2 * width;
            const Network wider = lower(scaled(base, choice));
            const StaircasePoint before = view.at(width, source);
            const StaircasePoint after = view.at(2 * width, source);
            EXPECT_NEAR(after.latency_us - before.latency_us,
                        estimate(wider, source).latency_us - estimate(network, source).latency_us, 1e-6);
            EXPECT_EQ(after.macs - before.macs, wider.macs() - network.macs());
            EXPECT_EQ(after.params - before.params, wider.params() - network.params());
        }
    }
}

TEST(Staircase, SaysHowWellAPointIsKnown) {
    const ModelSpec base = find_model("resnet20-cifar");
    const SyntheticSource source([](const LayerSpec& layer) { return layer.out_channels == 40; },
                                 [](const LayerSpec& layer) { return layer.out_channels == 48; });
    const auto points = stage_staircase(base, 1, {32, 40, 48}, source);
    EXPECT_EQ(points[0].estimate, EstimateKind::measured);
    EXPECT_EQ(points[1].estimate, EstimateKind::missing);
    EXPECT_EQ(points[2].estimate, EstimateKind::interpolated);
    EXPECT_THROW(stage_staircase(base, 3, {32}, source), InputError);
    EXPECT_THROW(stage_staircase(base, -1, {32}, source), InputError);
}

TEST(Staircase, OneLayerOverItsChannels) {
    const SyntheticSource source;
    const LayerSpec conv = lower(find_model("resnet20-cifar")).nodes.at(1).layer;
    const auto points = layer_staircase(conv, {8, 16, 32, 64}, source);
    ASSERT_EQ(points.size(), 4u);
    EXPECT_EQ(points[1].macs, cost_of(conv, 1, DataType::f32).macs);
    EXPECT_EQ(points[3].macs, 4 * points[1].macs);

    LayerSpec depthwise = conv;
    depthwise.residual = false;
    depthwise.groups = depthwise.in_channels;
    const auto narrow =
        layer_staircase(depthwise, {depthwise.in_channels, 2 * depthwise.in_channels}, source);
    EXPECT_EQ(narrow[1].macs, 2 * narrow[0].macs);
    EXPECT_THROW(layer_staircase(conv, {0}, source), InputError);
}

TEST(FreeWidth, IsTheWidestWithinTheTolerance) {
    const std::vector<StaircasePoint> points{
        {8, 9.0, 0, 0, EstimateKind::measured},       {16, 10.0, 0, 0, EstimateKind::measured},
        {24, 10.5, 0, 0, EstimateKind::interpolated}, {32, 5.0, 0, 0, EstimateKind::missing},
        {40, 10.05, 0, 0, EstimateKind::measured},    {48, 20.0, 0, 0, EstimateKind::measured}};
    EXPECT_EQ(free_width(points, 16, 0.01), 40);
    EXPECT_EQ(free_width(points, 16, 0.0), 16);
    EXPECT_EQ(free_width(points, 32, 0.1), 32);  // missing
    EXPECT_EQ(free_width(points, 20, 0.1), 20);  // no such point
}

}  // namespace
}  // namespace hacscale
