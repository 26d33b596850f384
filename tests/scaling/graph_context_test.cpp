#include "scaling/graph_context.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/models/random_graph.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;

// A concat of two widths, and equal blocks that repeat.
Network two_levels() {
    Graph graph;
    graph.inputs = {graph.add_input(3, 16, 16)};
    const TensorId stem = testing::conv(graph, "stem", 0, 32);
    const TensorId down = testing::conv(graph, "down", stem, 64);
    const TensorId both = testing::concat(graph, "both", {stem, down});
    TensorId here = testing::conv(graph, "after", both, 64);
    for (const char* block : {"block1", "block2", "block3"}) {
        const TensorId inner = testing::conv(graph, std::string(block) + ".inner", here, 64);
        here = testing::conv_plus(graph, std::string(block) + ".outer", inner, here, Activation::relu);
    }
    graph.outputs = {testing::conv(graph, "head", here, 10)};
    Network network;
    network.name = "two levels";
    network.graph = graph;
    return network;
}

ScalingSettings coarse() {
    ScalingSettings settings;
    settings.space.grid = 16;
    return settings;
}

TEST(GraphContext, PlansAreWhatTheirNetworksComeTo) {
    const testing::SyntheticSource source;
    const GraphContext context(two_levels(), source, coarse());
    ASSERT_EQ(context.space().depths.size(), 1u);
    const PlanKind kind;
    const GraphFront& front = context.front(kind);
    ASSERT_GT(front.size(), 10u);
    EXPECT_TRUE(front.exact);
    for (std::size_t point = 0; point < front.size(); point += 5) {
        const auto result = context.evaluate(context.choice_at(kind, point));
        ASSERT_TRUE(result.has_value());
        EXPECT_TRUE(context.space().contains(result->choice));
        EXPECT_EQ(result->latency_ps, front.costs[point]);
        EXPECT_EQ(result->usage.params, front.usage[point].params);
        EXPECT_NEAR(*result->gain, static_cast<double>(front.gains[point]) / gain_quanta_per_unit, 1e-7);
    }
}

TEST(GraphContext, TheBaseIsAChoiceThatGainsNothing) {
    const testing::SyntheticSource source;
    const Network base = two_levels();
    const GraphContext context(base, source, coarse());
    EXPECT_TRUE(context.space().contains(context.base_choice()));
    EXPECT_EQ(context.base_evaluation().gain, 0.0);
    EXPECT_EQ(context.base_evaluation().usage.params, base.graph.params());
    EXPECT_FALSE(validate(context.network(context.base_choice()).graph).has_value());
    const auto point = context.front({}).best_within(context.base_evaluation().latency_ps);
    ASSERT_TRUE(point.has_value());
    EXPECT_GE(context.front({}).gains[*point], 0);
}

TEST(GraphContext, AllStrategiesWorkOnIt) {
    const testing::SyntheticSource source;
    const GraphContext context(two_levels(), source, coarse());
    const double budget_us = context.budget_us(1.3);
    const Fit best = fit(find_strategy("hacscale"), context, budget_us);
    ASSERT_EQ(best.status, FitStatus::ok) << best.reason;
    EXPECT_LE(best.result.latency_us(), budget_us + 0.01);
    int fits = 0;
    for (const Strategy& strategy : strategies()) {
        const Fit other = fit(strategy, context, budget_us);
        if (other.status != FitStatus::ok) continue;
        ++fits;
        EXPECT_LE(other.result.latency_us(), budget_us + 0.01) << strategy.name;
        if (!context.space().contains(other.result.choice)) continue;
        EXPECT_LE(*other.result.gain, *best.result.gain * 1.001 + 0.001) << strategy.name;
    }
    EXPECT_GT(fits, 8);
}

// A graph has one resolution: strategies that would take part of the budget from it take all from widths and depths.
TEST(GraphContext, StrategiesOfResolutionKeepIt) {
    const testing::SyntheticSource source;
    ScalingSettings settings = coarse();
    settings.space.min_width_ratio = 0.25;
    const GraphContext context(two_levels(), source, settings);
    for (const char* name : {"uniform", "compound", "fast"}) {
        const Fit shrunk = fit(find_strategy(name), context, context.budget_us(0.7));
        ASSERT_EQ(shrunk.status, FitStatus::ok) << name << ": " << shrunk.reason;
        EXPECT_LT(shrunk.result.usage.macs, context.base_evaluation().usage.macs) << name;
        EXPECT_EQ(shrunk.result.choice.resolution, 16) << name;
    }
    EXPECT_NE(fit(find_strategy("resolution-only"), context, context.budget_us(0.7)).status, FitStatus::ok);
}

TEST(GraphContext, DimensionsThatAreClosedStayAtTheBase) {
    const testing::SyntheticSource source;
    const GraphContext context(two_levels(), source, coarse());
    const ScalingChoice base = context.base_choice();
    for (const auto dimensions : {SearchDimensions::widths, SearchDimensions::depths}) {
        const PlanKind kind{CostModel::latency, GainWeights::equal, dimensions};
        const GraphFront& front = context.front(kind);
        ASSERT_GT(front.size(), 0u);
        const ScalingChoice last = context.choice_at(kind, front.size() - 1);
        EXPECT_EQ(last.depths == base.depths, dimensions == SearchDimensions::widths);
        EXPECT_EQ(last.widths == base.widths, dimensions == SearchDimensions::depths);
    }
}

TEST(GraphContext, CapsAndOtherCostsHold) {
    const testing::SyntheticSource source;
    const Network base = two_levels();
    ScalingSettings settings = coarse();
    settings.caps.params = base.graph.params() * 11 / 10;
    const GraphContext context(base, source, settings);
    for (const CostModel cost : {CostModel::latency, CostModel::macs, CostModel::params}) {
        const PlanKind kind{cost, GainWeights::given, SearchDimensions::all};
        const GraphFront& front = context.front(kind);
        ASSERT_GT(front.size(), 0u);
        for (const ResourceUsage& usage : front.usage) EXPECT_LE(usage.params, *settings.caps.params);
        const auto result = context.evaluate(context.choice_at(kind, front.size() - 1));
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(context.latency_ps_at(kind, front.size() - 1), result->latency_ps);
    }
    const auto least = context.min_usage(Resource::params, context.base_evaluation().latency_ps);
    ASSERT_TRUE(least.has_value());
    EXPECT_LT(*least, base.graph.params());
}

TEST(GraphContext, RefusesWhatAGraphCannotHave) {
    const testing::SyntheticSource source;
    ScalingSettings settings;
    settings.caps.memory_bytes = 1 << 30;
    EXPECT_THROW(GraphContext(two_levels(), source, settings), InputError);
    settings = {};
    settings.space.resolutions = {32};
    EXPECT_THROW(GraphContext(two_levels(), source, settings), InputError);
    const testing::SyntheticSource empty([](const LayerSpec&) { return true; });
    try {
        const GraphContext context(two_levels(), empty, {});
        ADD_FAILURE() << "a table without layers was taken";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("profile it first"));
        EXPECT_THAT(error.what(), HasSubstr("stem (conv_")) << "by its name in the network";
    }
}

TEST(GraphContext, EqualsCoefficientsOfCapacityForOneConv) {
    // Params and MACs of two convs in a row rise with the width between them in proportion: ln capacity rises by 1.
    Graph graph;
    graph.inputs = {graph.add_input(16, 8, 8)};
    LayerSpec layer = testing::layer_on(graph, 0, LayerKind::conv);
    layer.out_channels = 64;
    layer.bias = false;
    const TensorId inner = testing::append(graph, "first", layer, {0});
    LayerSpec last = testing::layer_on(graph, inner, LayerKind::conv);
    last.out_channels = 16;
    last.bias = false;
    graph.outputs = {testing::append(graph, "last", last, {inner})};
    const GraphSpace space = make_graph_space(graph, {});
    const GraphCoefficients coefficients = capacity_coefficients(graph, space);
    ASSERT_EQ(coefficients.width.size(), 1u);
    EXPECT_NEAR(coefficients.width[0], 1.0, 1e-9);
}

}  // namespace
}  // namespace hacscale
