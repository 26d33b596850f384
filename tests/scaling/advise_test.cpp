#include "scaling/analysis/advise.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

const WidthAdvice& named(const CapacityAdvice& capacity, const std::string& name) {
    for (const WidthAdvice& advice : capacity.widths) {
        if (advice.name == name) return advice;
    }
    throw std::runtime_error("no width is called " + name);
}

// Latency rises in steps of 24 channels on either side of a conv, exactly.
class Steps : public LatencySource {
public:
    LatencyEstimate estimate(const LayerSpec& layer) const override {
        const auto steps = [](int channels) { return (channels + 23) / 24; };
        return {10.0 * steps(layer.in_channels) * steps(layer.out_channels), EstimateKind::measured, 0.01,
                false};
    }
};

TEST(Advise, IsTheRightEdgeOfTheStepTheBaseStandsOn) {
    const ModelSpec base = find_model("resnet20-cifar");  // widths 16, 32, 64
    const CapacityAdvice capacity = advise(base, Steps(), {});
    EXPECT_EQ(named(capacity, "stem.conv1 + stage1").free_width, 24);
    EXPECT_EQ(named(capacity, "stem.conv1 + stage1").costly_from, 32);
    EXPECT_EQ(named(capacity, "stage2").free_width, 48);
    EXPECT_EQ(named(capacity, "stage3").free_width, 72);
    EXPECT_EQ(named(capacity, "stage3.block2 inner").free_width, 72);
    // 32 stands at the left end of 25..48: it is wasteful itself, in the middle of a step it would not be.
    const WidthAdvice& inner = named(capacity, "stage2.block1 inner");
    ASSERT_FALSE(inner.wasteful.empty());
    EXPECT_EQ(inner.wasteful[0].width, 32);
    EXPECT_EQ(inner.wasteful[0].before, 24);
    EXPECT_EQ(inner.wasteful[0].same_latency_up_to, 48);
    for (const LayerAdvice& layer : capacity.layers) {
        EXPECT_EQ(layer.width.has_value(), layer.layer.kind != LayerKind::linear) << layer.name;
        EXPECT_DOUBLE_EQ(layer.free_estimate.latency_us, layer.estimate.latency_us) << layer.name;
    }
    EXPECT_EQ(capacity.layers.size(), 22u);  // 19 convs, two shortcuts, one linear layer
}

// What a width's points sum is all that changes: differences equal those of the whole network.
TEST(Advise, CountsAllThatAWidthTouches) {
    const SyntheticSource source;
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "efficientnet-b0", "regnety-400mf"}) {
        const ModelSpec base = find_model(name);
        const CapacityAdvice capacity = advise(base, source, {});
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            const WidthAdvice& stage = capacity.stages[s];
            ASSERT_EQ(stage.points.size(), stage.extras.size());
            for (std::size_t i = 0; i < stage.points.size(); ++i) {
                ScalingChoice choice = choice_of(base);
                choice.widths[s] = stage.points[i].width;
                const Graph wider = lower(scaled(base, choice));
                EXPECT_NEAR(stage.extras[i].latency_us,
                            estimate(wider, source).latency_us - capacity.base.latency_us, 1e-6);
                EXPECT_EQ(stage.points[i].macs - stage.at(stage.base_width).macs,
                          wider.macs() - lower(base).macs());
            }
        }
    }
}

TEST(Advise, AdvisesNothingThatIsNotMeasured) {
    const ModelSpec base = find_model("resnet20-cifar");
    const std::set<int> widths{16, 32, 64};
    const auto off_base = [&](const LayerSpec& layer) {
        return layer.kind == LayerKind::conv &&
               (!widths.contains(layer.out_channels) || layer.in_channels % 16 == 8);
    };
    const CapacityAdvice capacity = advise(base, SyntheticSource(nullptr, off_base), {});
    for (const WidthAdvice& advice : capacity.widths) {
        EXPECT_TRUE(advice.free_width == advice.base_width || widths.contains(advice.free_width))
            << advice.name;
        for (std::size_t i = 0; i < advice.points.size(); ++i) {
            const bool measured = advice.points[i].estimate == EstimateKind::measured;
            EXPECT_EQ(advice.extras[i].kind == ExtraKind::unknown, !measured);
        }
    }
    EXPECT_EQ(named(capacity, "stage3").state, CapacityState::unknown);  // nothing above 64

    const CapacityAdvice no_base =
        advise(base, SyntheticSource([](const LayerSpec& layer) { return layer.out_channels == 32; }), {});
    EXPECT_EQ(named(no_base, "stage2").state, CapacityState::unknown);
    EXPECT_EQ(named(no_base, "stage3.block2 inner").state, CapacityState::none);
    EXPECT_GT(no_base.base.missing_layers, 0);
}

TEST(Advise, SaysWhenRowsAreTooNoisy) {
    class Noise : public LatencySource {
        LatencyEstimate estimate(const LayerSpec&) const override {
            return {10.0, EstimateKind::measured, 2.0, true};
        }
    };
    for (const WidthAdvice& advice : advise(find_model("resnet20-cifar"), Noise(), {}).widths) {
        EXPECT_EQ(advice.state, CapacityState::unclear) << advice.name;
        EXPECT_EQ(advice.free_width, advice.base_width);
        EXPECT_TRUE(advice.points.front().noisy);
    }
}

TEST(Advise, KeepsToTheGridAndToWhatGroupsNeed) {
    const ModelSpec base = find_model("regnetx-400mf");
    AdviseSettings settings;
    settings.grid = 12;
    settings.max_width_ratio = 1.5;
    const CapacityAdvice capacity = advise(base, SyntheticSource(), settings);
    for (const WidthAdvice& advice : capacity.widths) {
        EXPECT_GT(advice.points.size(), 1u) << advice.name;
        for (const StaircasePoint& point : advice.points) {
            EXPECT_TRUE(point.width % 12 == 0 || point.width == advice.base_width);
            EXPECT_LE(point.width, 1.5 * advice.base_width);
            EXPECT_GE(2 * point.width, advice.base_width);
        }
    }
}

// A graph's channel groups say what the widths of its model say, where each of these is one group.
TEST(Advise, SaysOfAGraphWhatItSaysOfItsModel) {
    const SyntheticSource source;
    for (const char* name : {"resnet20-cifar", "regnetx-400mf"}) {
        const ModelSpec base = find_model(name);
        const CapacityAdvice of_model = advise(base, source, {});
        const CapacityAdvice of_graph = advise(name, lower(base), source, {});
        EXPECT_TRUE(of_graph.stages.empty());
        ASSERT_EQ(of_graph.widths.size(), of_model.widths.size());
        EXPECT_EQ(of_graph.base.latency_us, of_model.base.latency_us);
        for (const WidthAdvice& width : of_graph.widths) {
            const auto same =
                std::find_if(of_model.widths.begin(), of_model.widths.end(),
                             [&](const WidthAdvice& one) { return one.members == width.members; });
            ASSERT_NE(same, of_model.widths.end()) << width.name;
            EXPECT_EQ(width.state, same->state);
            EXPECT_EQ(width.free_width, same->free_width) << width.name;
            EXPECT_EQ(width.worthwhile_drop, same->worthwhile_drop) << width.name;
            EXPECT_EQ(width.touched, same->touched) << width.name;
        }
    }
    EXPECT_THROW(advise("none", lower(find_model("resnet8-cifar")),
                        SyntheticSource([](const LayerSpec&) { return true; }), {}),
                 InputError);
}

TEST(Advise, RefusesSettingsAndTablesOfNoUse) {
    const ModelSpec base = find_model("resnet20-cifar");
    const SyntheticSource source;
    EXPECT_THROW(advise(base, source, {.tolerance = 0.0}), InputError);
    EXPECT_THROW(advise(base, source, {.tolerance = 1.5}), InputError);
    EXPECT_THROW(advise(base, source, {.grid = 0}), InputError);
    EXPECT_THROW(advise(base, source, {.max_width_ratio = 0.9}), InputError);
    EXPECT_THROW(advise(base, SyntheticSource([](const LayerSpec&) { return true; }), {}), InputError);
}

}  // namespace
}  // namespace hacscale
