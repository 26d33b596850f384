#include "scaling/analysis/staircase.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

// What a stage's width touches is all that changes: differences equal those of the whole network.
TEST(Staircase, DifferencesAreThoseOfTheWholeNetwork) {
    const SyntheticSource source;
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "vgg16-bn-cifar", "regnety-400mf"}) {
        const ModelSpec base = find_model(name);
        const Graph network = lower(base);
        for (int stage = 0; stage < static_cast<int>(base.stages.size()); ++stage) {
            const StageView view(base, stage);
            const int width = base.stages[static_cast<std::size_t>(stage)].width;
            ScalingChoice choice = choice_of(base);
            choice.widths[static_cast<std::size_t>(stage)] = 2 * width;
            const Graph wider = lower(scaled(base, choice));
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

// Three equal layers share a row, so their errors go the same way; a fourth has its own.
TEST(Staircase, AddsErrorsOfRowsInQuadratureAndThoseOfOneRowTogether) {
    class OneIntervalForAll : public LatencySource {
        LatencyEstimate estimate(const LayerSpec& layer) const override {
            return {10.0, EstimateKind::measured, 1.0, layer.out_channels == 64};
        }
    };
    Node repeated;
    repeated.layer.in_channels = repeated.layer.out_channels = 32;
    Node other = repeated;
    other.layer.out_channels = 64;
    const StaircasePoint point = sum_of(32, {&repeated, &other, &repeated, &repeated}, OneIntervalForAll());
    EXPECT_DOUBLE_EQ(point.latency_us, 40.0);
    EXPECT_DOUBLE_EQ(point.ci95_us, std::sqrt(3.0 * 3.0 + 1.0));
    EXPECT_TRUE(point.noisy);
    EXPECT_FALSE(sum_of(32, {&repeated}, OneIntervalForAll()).noisy);
}

StaircasePoint measured(int width, double latency_us, double ci95_us = 0.0) {
    return {width, latency_us, 0, 0, EstimateKind::measured, ci95_us, false};
}

TEST(Extra, IsJudgedByToleranceAndInterval) {
    const auto kind = [](double latency_us, double ci95_us) {
        return extra_of(measured(16, 100.0), measured(24, latency_us, ci95_us), 0.02).kind;
    };
    EXPECT_EQ(kind(101.0, 0.5), ExtraKind::none);
    EXPECT_EQ(kind(102.0, 4.0), ExtraKind::none);
    EXPECT_EQ(kind(102.0, 4.1), ExtraKind::unclear);  // might be over three tolerances
    EXPECT_EQ(kind(80.0, 10.0), ExtraKind::none);     // noisy, but faster for sure
    EXPECT_EQ(kind(80.0, 30.0), ExtraKind::unclear);
    EXPECT_EQ(kind(103.0, 1.0), ExtraKind::measurable);
    EXPECT_EQ(kind(103.0, 3.5), ExtraKind::unclear);
    const Extra extra = extra_of(measured(16, 100.0, 3.0), measured(24, 110.0, 4.0), 0.02);
    EXPECT_DOUBLE_EQ(extra.latency_us, 10.0);
    EXPECT_DOUBLE_EQ(extra.ci95_us, 5.0);
    StaircasePoint guess = measured(24, 100.0);
    guess.estimate = EstimateKind::interpolated;
    EXPECT_EQ(extra_of(measured(16, 100.0), guess, 0.02).kind, ExtraKind::unknown);
    EXPECT_EQ(extra_of(guess, measured(16, 100.0), 0.02).kind, ExtraKind::unknown);
}

TEST(FreeWidth, IsTheWidestMeasuredWithNoMeasurableExtra) {
    const std::vector<StaircasePoint> points{measured(8, 9.0),
                                             measured(16, 10.0),
                                             {24, 10.0, 0, 0, EstimateKind::interpolated},
                                             {32, 5.0, 0, 0, EstimateKind::missing},
                                             measured(40, 10.05),
                                             {48, 10.0, 0, 0, EstimateKind::interpolated},
                                             measured(56, 20.0)};
    EXPECT_EQ(free_width(points, 16, 0.01), 40);
    EXPECT_EQ(free_width(points, 16, 0.001), 16);
    EXPECT_EQ(free_width(points, 32, 0.1), 32);  // missing
    EXPECT_EQ(free_width(points, 20, 0.1), 20);  // no such point
    EXPECT_EQ(free_width(points, 56, 0.1), 56);  // the last
}

// Steps of 32 channels, measured exactly: what is free ends at a step's right edge, and what is wasteful is
// every left edge, wherever the base stands.
TEST(FreeWidth, FindsTheEdgesOfARegularStaircase) {
    std::vector<StaircasePoint> points;
    for (int width = 8; width <= 256; width += 8) {
        points.push_back(measured(width, 10.0 * ((width + 31) / 32)));
    }
    for (const StaircasePoint& point : points) {
        EXPECT_EQ(free_width(points, point.width, 0.01), (point.width + 31) / 32 * 32);
    }
    const std::vector<WastefulWidth> wasteful = wasteful_widths(points, 0.01);
    ASSERT_EQ(wasteful.size(), 7u);
    for (std::size_t i = 0; i < wasteful.size(); ++i) {
        const int edge = 32 * (static_cast<int>(i) + 1);
        EXPECT_EQ(wasteful[i].width, edge + 8);
        EXPECT_EQ(wasteful[i].before, edge);
        EXPECT_DOUBLE_EQ(wasteful[i].extra.latency_us, 10.0);
        EXPECT_EQ(wasteful[i].same_latency_up_to, edge + 32);
    }
}

TEST(WastefulWidths, AreSkippedWhereEachChannelPaysOrNothingIsCertain) {
    std::vector<StaircasePoint> proportional;
    std::vector<StaircasePoint> noisy;
    std::vector<StaircasePoint> sparse;
    for (int width = 8; width <= 64; width += 8) {
        proportional.push_back(measured(width, width));
        noisy.push_back(measured(width, width <= 32 ? 10.0 : 20.0, 30.0));
        sparse.push_back(measured(width, width <= 32 ? 10.0 : 20.0));
        if (width % 32 != 0) sparse.back().estimate = EstimateKind::interpolated;
    }
    EXPECT_TRUE(wasteful_widths(proportional, 0.01).empty());
    EXPECT_TRUE(wasteful_widths(noisy, 0.01).empty());
    EXPECT_TRUE(wasteful_widths(sparse, 0.01).empty());  // 32 and 64 are right edges, the rest is not known
}

// A count that is slower than a wider one does not hide it.
TEST(WastefulWidths, IncludeCountsSlowerThanAWiderOne) {
    const std::vector<StaircasePoint> points{measured(32, 10.0), measured(40, 15.0), measured(48, 10.1)};
    EXPECT_EQ(free_width(points, 32, 0.02), 48);
    const std::vector<WastefulWidth> wasteful = wasteful_widths(points, 0.02);
    ASSERT_EQ(wasteful.size(), 1u);
    EXPECT_EQ(wasteful[0].width, 40);
    EXPECT_EQ(wasteful[0].same_latency_up_to, 48);
}

StaircasePoint point_at(int width, double latency_us, double ci95_us = 0.01) {
    StaircasePoint point;
    point.width = width;
    point.latency_us = latency_us;
    point.macs = 1000 * width;
    point.ci95_us = ci95_us;
    return point;
}

TEST(Staircase, ADropIsWorthItWhereItSavesMoreThanItsShare) {
    // 232 is just past the edge at 224; 192 saves more in all, and no more than its share from there on.
    const std::vector<StaircasePoint> points{point_at(192, 80.0), point_at(216, 90.0), point_at(224, 92.0),
                                             point_at(232, 100.0), point_at(240, 101.0)};
    EXPECT_EQ(worthwhile_drop(points, 232, 0.02), 224);
    EXPECT_EQ(worthwhile_drop(points, 232, 0.06), std::nullopt);  // 4.6 points more than the share
    EXPECT_EQ(worthwhile_drop(points, 224, 0.02), std::nullopt);
    EXPECT_EQ(worthwhile_drop(points, 192, 0.02), std::nullopt);
    EXPECT_EQ(worthwhile_drop(points, 200, 0.02), std::nullopt);  // no point of these
}

TEST(Staircase, NoDropIsAdvisedOnNoiseOrGuesses) {
    std::vector<StaircasePoint> points{point_at(224, 90.0, 20.0), point_at(232, 100.0)};
    EXPECT_EQ(worthwhile_drop(points, 232, 0.02), std::nullopt);
    points = {point_at(224, 90.0), point_at(232, 100.0)};
    EXPECT_EQ(worthwhile_drop(points, 232, 0.02), 224);
    points[0].estimate = EstimateKind::interpolated;
    EXPECT_EQ(worthwhile_drop(points, 232, 0.02), std::nullopt);
}

}  // namespace
}  // namespace hacscale
