// Budgets below the base's latency.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/budget.hpp"
#include "scaling/stage_context.hpp"
#include "scaling/strategies/families.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;
using testing::SyntheticSource;

StageContext context_for(const std::string& model, const LatencySource& source, double budget,
                         ScalingSettings settings = {}) {
    const ModelSpec base = find_model(model);
    settings.max_budget = budget * planning_reserve;
    settings.space = for_budget(settings.space, budget);
    settings.l1_scores = settings.taylor_scores = testing::made_up_scores(base, 1);
    return StageContext(base, source, settings, capacity_gain(base));
}

int count_adds(const Graph& network) {
    return static_cast<int>(std::count_if(network.nodes.begin(), network.nodes.end(),
                                          [](const Node& node) { return node.layer.residual; }));
}

void expect_multiples(const StageContext& context, const ScalingChoice& choice) {
    for (std::size_t i = 0; i < choice.widths.size(); ++i) {
        const WidthDimension& width = context.space().widths[i];
        EXPECT_TRUE(choice.widths[i] % width.step == 0 ||
                    choice.widths[i] == context.base_choice().widths[i]);
        EXPECT_GE(choice.widths[i], std::min(width.step, context.base_choice().widths[i]));
    }
}

class Shrinking : public ::testing::TestWithParam<const char*> {};

TEST_P(Shrinking, EveryStrategyKeepsTheBudgetAndWhatTheNetworkIs) {
    const SyntheticSource source;
    const StageContext context = context_for(GetParam(), source, 0.7);
    const Graph base = lower(context.base());
    const double budget_us = context.budget_us(0.7);
    const Fit own = fit(find_strategy("hacscale"), context, budget_us);
    ASSERT_EQ(own.status, FitStatus::ok) << own.reason;
    for (const Strategy* strategy : usual_strategies(0.7)) {
        const Fit found = fit(*strategy, context, budget_us);
        if (found.status != FitStatus::ok) {
            EXPECT_THAT(found.reason, HasSubstr("the least that fits is")) << strategy->name;
            continue;
        }
        const ScalingChoice& choice = found.result.choice;
        EXPECT_LE(found.predicted_us(), budget_us + 1e-3) << strategy->name;
        EXPECT_LT(*found.result.gain, 0.0) << strategy->name;
        if (found.next_us) {
            EXPECT_GT(*found.next_us, budget_us) << strategy->name;
        }
        expect_multiples(context, choice);
        const Graph network = lower(scaled(context.base(), choice));
        ASSERT_EQ(network.outputs.size(), base.outputs.size());
        EXPECT_EQ(network.tensors[network.outputs[0]].channels, base.tensors[base.outputs[0]].channels);
        // Each block that is left adds as it did.
        ScalingChoice as_deep = choice_of(context.base());
        as_deep.depths = choice.depths;
        EXPECT_EQ(count_adds(network), count_adds(lower(scaled(context.base(), as_deep)))) << strategy->name;
        if (context.space().contains(choice)) {
            EXPECT_GE(*own.result.gain, *found.result.gain - 1e-7) << strategy->name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Zoo, Shrinking, ::testing::Values("resnet20-cifar", "mobilenetv2-1.0"),
                         [](const auto& tested) {
                             return std::string(tested.param).substr(0, std::string(tested.param).find('-')) +
                                    (std::string(tested.param).ends_with("cifar") ? "Cifar" : "");
                         });

// By brute force over all widths and depths of a network of three stages.
TEST(Shrinking, HacscaleEqualsBruteForce) {
    const SyntheticSource source;
    ScalingSettings settings;
    settings.space.grid = 16;
    settings.space.max_width_ratio = settings.space.max_depth_ratio = 1.0;
    const double budget = 0.5;
    const StageContext context = context_for("resnet20-cifar", source, budget, settings);
    const ScalingSpace& space = context.stage_space();
    std::optional<double> best;
    ScalingChoice choice = context.base_choice();
    const auto each = [](const std::vector<int>& values, int& at, const auto& next) {
        for (const int value : values) {
            at = value;
            next();
        }
    };
    const auto judge = [&] {
        const std::optional<Evaluation> network = context.evaluate(choice);
        if (!network || network->latency_us() > context.budget_us(budget)) return;
        best = std::max(best.value_or(*network->gain), *network->gain);
    };
    each(space.stages[0].widths, choice.widths[0], [&] {
        each(space.stages[1].widths, choice.widths[1], [&] {
            each(space.stages[2].widths, choice.widths[2], [&] {
                each(space.stages[0].depths, choice.depths[0], [&] {
                    each(space.stages[1].depths, choice.depths[1],
                         [&] { each(space.stages[2].depths, choice.depths[2], judge); });
                });
            });
        });
    });
    const Fit found = fit(find_strategy("hacscale"), context, context.budget_us(budget));
    ASSERT_TRUE(best);
    ASSERT_EQ(found.status, FitStatus::ok) << found.reason;
    EXPECT_NEAR(*found.result.gain, *best, 1e-7);
}

// Going down, the first configuration within the budget is taken: none before it on the path is.
TEST(Shrinking, MultiplierPathsSkipNothing) {
    const SyntheticSource source;
    const StageContext context = context_for("mobilenetv2-1.0", source, 0.7);
    const double budget_us = context.budget_us(0.7);
    const rules::Path path =
        rules::multiplier_path(context, context.base_choice(), {0.25, 0.5, 0.0}, rules::Direction::down);
    std::optional<ScalingChoice> first;
    ScalingChoice before = context.base_choice();
    while (const auto choice = path()) {
        for (std::size_t i = 0; i < before.widths.size(); ++i) {
            EXPECT_LE(choice->widths[i], before.widths[i]);
            EXPECT_GE(choice->widths[i], before.widths[i] - 8);
            EXPECT_LE(choice->depths[i], before.depths[i]);
            EXPECT_GE(choice->depths[i], before.depths[i] - 1);
        }
        before = *choice;
        const std::optional<Evaluation> step = context.evaluate(*choice);
        if (!first && step && step->latency_us() <= budget_us) first = *choice;
    }
    ASSERT_TRUE(first);
    EXPECT_EQ(fit(find_strategy("depth-width"), context, budget_us).result.choice, *first);
}

// The least that is possible is said, and it is possible.
TEST(Shrinking, ABudgetThatNoNetworkKeepsNamesTheLeast) {
    const SyntheticSource source;
    const StageContext context = context_for("resnet20-cifar", source, 0.1);
    const double budget_us = context.budget_us(0.1);
    const Fit found = fit(find_strategy("hacscale"), context, budget_us);
    ASSERT_EQ(found.status, FitStatus::infeasible);
    EXPECT_THAT(found.reason, HasSubstr("the least that fits is"));
    const std::optional<std::int64_t> least_ps = context.min_latency_ps(SearchDimensions::all);
    ASSERT_TRUE(least_ps);
    ScalingSettings settings;
    settings.space = context.settings().space;
    const StageContext wider = context_for("resnet20-cifar", source, 0.8, settings);
    const auto least_us = static_cast<double>(*least_ps) / picoseconds_per_us;
    EXPECT_EQ(fit(find_strategy("hacscale"), wider, least_us).status, FitStatus::ok);
    EXPECT_EQ(fit(find_strategy("hacscale"), wider, least_us - 0.01).status, FitStatus::infeasible);
}

TEST(Shrinking, PruningWithoutScoresSaysWhatToGive) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    ScalingSettings settings;
    settings.max_budget = 0.8;
    const StageContext context(base, source, settings, capacity_gain(base));
    for (const char* name : {"l1-pruning", "taylor-pruning"}) {
        const Fit found = fit(find_strategy(name), context, context.budget_us(0.7));
        EXPECT_EQ(found.status, FitStatus::infeasible);
        EXPECT_THAT(found.reason, HasSubstr("a file of scores"));
    }
}

// Channels of one stage that matter least are removed before those of the others.
TEST(Shrinking, PruningRemovesTheLeastImportantChannels) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    ScalingSettings settings;
    settings.max_budget = 1.0;
    settings.taylor_scores =
        ChannelScores{{std::vector(16, 5.0), std::vector(32, 1.0), std::vector(64, 5.0)}};
    const StageContext context(base, source, settings, capacity_gain(base));
    const Fit found = fit(find_strategy("taylor-pruning"), context, context.budget_us(0.95));
    ASSERT_EQ(found.status, FitStatus::ok) << found.reason;
    EXPECT_EQ(found.result.choice.widths[0], 16);
    EXPECT_LT(found.result.choice.widths[1], 32);
    EXPECT_EQ(found.result.choice.widths[2], 64);
    EXPECT_EQ(found.result.choice.depths, context.base_choice().depths);
}

TEST(UsualStrategies, HaveThoseThatOnlyShrinkBelowOne) {
    const auto has = [](double budget, std::string_view name) {
        const std::vector<const Strategy*> usual = usual_strategies(budget);
        return std::any_of(usual.begin(), usual.end(),
                           [&](const Strategy* strategy) { return strategy->name == name; });
    };
    EXPECT_TRUE(has(0.7, "halp"));
    EXPECT_FALSE(has(1.0, "halp"));
    EXPECT_TRUE(has(1.0, "hacscale"));
}

}  // namespace
}  // namespace hacscale
