// What one step adds: each line against a full evaluation of both networks, and each outcome by a case that
// must bring it about.
#include "scaling/analysis/explain.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/scaling/explain_support.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::after;
using testing::basis;
using ::testing::HasSubstr;
using testing::random_choice;
using testing::settings_with;
using testing::SyntheticSource;

// Where the space ends in the direction of the steps.
int last(const ScalingSpace& space, const Contribution& step, bool down) {
    const auto end = [down](const std::vector<int>& values) { return down ? values.front() : values.back(); };
    if (step.dimension == StepDimension::resolution) return end(space.resolutions);
    const StageSpace& stage = space.stages[static_cast<std::size_t>(*step.stage)];
    return end(step.dimension == StepDimension::width ? stage.widths : stage.depths);
}

TEST(Contributions, AreTheDifferencesBetweenTwoEvaluations) {
    const SyntheticSource source;
    std::mt19937_64 random(5);
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "resnet18"}) {
        const ModelSpec base = find_model(name);
        const StageContext context(base, source, settings_with({base.resolution + 2 * resolution_step(base)}),
                                   capacity_gain(base));
        for (int i = 0; i < 10; ++i) {
            const ScalingChoice from = random_choice(base, context.stage_space(), random);
            const NetworkExplanation all = explain(context, from, context.budget_us(1.5), basis);
            ASSERT_EQ(all.steps.size(), 2 * base.stages.size() + 1);
            const Evaluation before = *context.evaluate(from);
            for (const Contribution& step : all.steps) {
                if (!step.to) {
                    EXPECT_EQ(step.outcome, StepOutcome::space_end);
                    EXPECT_FALSE(step.added);
                    EXPECT_EQ(step.from, last(context.stage_space(), step, all.down));
                    continue;
                }
                EXPECT_EQ(*step.to < step.from, all.down);
                const ScalingChoice larger = after(from, step, base);
                if (!keeps_skips(base, larger.widths)) {
                    EXPECT_EQ(step.outcome, StepOutcome::invalid);
                    continue;
                }
                ASSERT_TRUE(context.stage_space().contains(larger));
                const Evaluation evaluation = *context.evaluate(larger);
                ASSERT_TRUE(step.added);
                EXPECT_NEAR(step.added->latency_us, evaluation.latency_us() - before.latency_us(), 1e-5);
                EXPECT_EQ(step.added->params, evaluation.usage.params - before.usage.params);
                EXPECT_EQ(step.added->macs, evaluation.usage.macs - before.usage.macs);
                EXPECT_DOUBLE_EQ(step.added->gain, *evaluation.gain - *before.gain);
                EXPECT_NEAR(*step.added->utilization,
                            *utilization(lower(scaled(base, larger)), source, 1, basis.peak) -
                                *utilization(lower(scaled(base, from)), source, 1, basis.peak),
                            1e-8);  // latencies are rounded to picoseconds
                EXPECT_EQ(step.added->gain_per_percent.has_value(),
                          all.down ? step.added->latency_us < 0.0 : step.added->latency_us > 0.0);
                EXPECT_EQ(*step.estimate, EstimateKind::measured);
            }
        }
    }
}

TEST(Contributions, OfTheBaseStartAtItsOwnValues) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, capacity_gain(base));
    const NetworkExplanation all = explain(context, choice_of(base), context.budget_us(1.0), basis);
    EXPECT_EQ(all.network.latency_ps, context.base_evaluation().latency_ps);
    for (const Contribution& step : all.steps) EXPECT_EQ(step.from, step.base);
    EXPECT_EQ(all.steps[0].to, 24);
    EXPECT_EQ(all.steps[1].to, 4);
    EXPECT_EQ(all.steps.back().reason, "the space ends at 32 pixels");
}

// The planner's choice is the best of the space, so no step that gains can be left within the budget.
TEST(Contributions, OfAnExactChoiceNoneFits) {
    const SyntheticSource source;
    for (const char* name : {"resnet20-cifar", "mobilenetv1-0.5", "resnet18"}) {
        const ModelSpec base = find_model(name);
        const StageContext context(base, source, {}, capacity_gain(base));
        for (const double budget : {1.0, 1.065, 1.5}) {
            const double budget_us = context.budget_us(budget);
            const Fit chosen = fit(find_strategy("hacscale"), context, budget_us);
            ASSERT_EQ(chosen.status, FitStatus::ok);
            for (const Contribution& step : explain(context, chosen.result.choice, budget_us, basis).steps) {
                EXPECT_NE(step.outcome, StepOutcome::fits)
                    << name << " " << budget << " " << name_of(step.dimension) << " " << step.reason;
            }
        }
    }
}

TEST(Contributions, AreJudgedByTheBudget) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, capacity_gain(base));
    const double base_us = context.base_evaluation().latency_us();
    const Contribution step = explain(context, choice_of(base), base_us, basis).steps[1];
    ASSERT_EQ(step.outcome, StepOutcome::over_budget);
    EXPECT_THAT(step.reason, HasSubstr("over the budget by"));
    const double needed_us = base_us + step.added->latency_us;
    const auto outcome_at = [&](double budget_us) {
        return explain(context, choice_of(base), budget_us, basis).steps[1].outcome;
    };
    EXPECT_EQ(outcome_at(needed_us), StepOutcome::fits);
    EXPECT_EQ(outcome_at(needed_us - 0.01), StepOutcome::over_budget);
    EXPECT_NEAR(step.added->latency_percent, 100.0 * step.added->latency_us / base_us, 1e-9);
    EXPECT_NEAR(*step.added->gain_per_percent, step.added->gain / step.added->latency_percent, 1e-12);
}

TEST(Contributions, AreJudgedByTheCapOnParams) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    ScalingSettings settings;
    settings.caps.params = lower(base).params() + 1;
    const StageContext context(base, source, settings, capacity_gain(base));
    for (const Contribution& step : explain(context, choice_of(base), context.budget_us(2.0), basis).steps) {
        if (step.to) {
            EXPECT_EQ(step.outcome, StepOutcome::over_cap) << step.reason;
        }
    }
}

TEST(Contributions, WithoutWorthGainNothing) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    Gain gain = capacity_gain(base);
    gain.stages[1].depth.value = 0.0;
    const StageContext context(base, source, {}, gain);
    const auto steps = explain(context, choice_of(base), context.budget_us(2.0), basis).steps;
    EXPECT_EQ(steps[3].outcome, StepOutcome::no_gain);
    EXPECT_EQ(steps[3].added->gain, 0.0);
    EXPECT_EQ(steps[1].outcome, StepOutcome::fits);
}

// The layers that a step leaves as they are do not make it less certain.
TEST(Contributions, SayHowTheChangedLayersAreKnown) {
    const ModelSpec base = find_model("resnet20-cifar");
    const auto wide_third = [](const LayerSpec& layer) {
        return layer.out_channels == 72 || layer.in_channels == 72;
    };
    const auto linear = [](const LayerSpec& layer) { return layer.kind == LayerKind::linear; };
    for (const bool missing : {false, true}) {
        const SyntheticSource source(missing ? SyntheticSource::Predicate(wide_third) : nullptr,
                                     missing ? linear : SyntheticSource::Predicate(wide_third));
        const StageContext context(base, source, {}, capacity_gain(base));
        const auto all = explain(context, choice_of(base), context.budget_us(1.1), basis);
        EXPECT_EQ(all.has_missing(), missing);
        for (std::size_t i = 0; i + 1 < all.steps.size(); ++i) {
            const Contribution& step = all.steps[i];
            if (i != 4) {
                EXPECT_EQ(*step.estimate, EstimateKind::measured) << i;
            } else if (missing) {
                EXPECT_EQ(*step.estimate, EstimateKind::missing);
                EXPECT_EQ(step.outcome, StepOutcome::missing);
                EXPECT_THAT(step.reason, HasSubstr(" (conv_"));
                EXPECT_FALSE(step.added);
            } else {
                EXPECT_EQ(*step.estimate, EstimateKind::interpolated);
                EXPECT_TRUE(step.added);
            }
        }
    }
}

TEST(Contributions, HaveNoUtilizationWithoutAPeak) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, capacity_gain(base));
    const auto all = explain(context, choice_of(base), context.budget_us(1.0), std::nullopt);
    EXPECT_FALSE(all.utilization);
    EXPECT_FALSE(all.steps[0].added->utilization);
}

TEST(Contributions, RefuseANetworkThatIsNotInTheSpace) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, capacity_gain(base));
    ScalingChoice outside = choice_of(base);
    outside.widths[0] = 1000;
    EXPECT_THROW(explain(context, outside, context.budget_us(1.0), basis), InputError);
    outside.widths.pop_back();
    EXPECT_THROW(explain(context, outside, context.budget_us(1.0), basis), InputError);
}

TEST(Contributions, LeadDownFromANetworkOverTheBudget) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, balanced_gain(base));
    const Evaluation& before = context.base_evaluation();
    const NetworkExplanation all = explain(context, choice_of(base), context.budget_us(0.7), basis);
    EXPECT_TRUE(all.down);
    ASSERT_EQ(all.steps.size(), 7U);
    for (const Contribution& step : all.steps) {
        if (step.dimension == StepDimension::resolution) {
            EXPECT_EQ(step.reason, "the space ends at 32 pixels");
            continue;
        }
        ASSERT_TRUE(step.to.has_value());
        EXPECT_LT(*step.to, step.from);
        const Evaluation evaluation = *context.evaluate(after(choice_of(base), step, base));
        ASSERT_TRUE(step.added.has_value());
        EXPECT_NEAR(step.added->latency_us, evaluation.latency_us() - before.latency_us(), 1e-5);
        EXPECT_DOUBLE_EQ(step.added->gain, *evaluation.gain);
        ASSERT_EQ(step.added->gain_per_percent.has_value(), step.added->latency_us < 0.0);
        if (!step.added->gain_per_percent) {
            EXPECT_EQ(step.outcome, StepOutcome::no_saving);
            continue;
        }
        EXPECT_NEAR(*step.added->gain_per_percent, step.added->gain / step.added->latency_percent, 1e-12);
        EXPECT_EQ(step.outcome, StepOutcome::over_budget);
        EXPECT_THAT(step.reason, HasSubstr("still over the budget by"));
    }
    const Contribution& depth = all.steps[1];
    const double needed_us = before.latency_us() + depth.added->latency_us;
    EXPECT_EQ(explain(context, choice_of(base), needed_us, basis).steps[1].outcome, StepOutcome::fits);
}

TEST(Contributions, OfANetworkWithoutStagesAreThoseOfItsGroupsAndRepeats) {
    const SyntheticSource source;
    Network network;
    network.name = "resnet20";
    network.graph = lower(find_model("resnet20-cifar"));
    GraphSpaceSettings space;
    space.freeze = {network.graph.nodes.front().name};
    for (const double budget : {0.8, 1.3}) {
        ScalingSettings settings;
        settings.max_budget = budget;
        const GraphContext context(network, source, settings, space);
        const ScalingChoice& from = context.base_choice();
        const NetworkExplanation all = explain(context, from, context.budget_us(budget), basis);
        EXPECT_EQ(all.down, budget < 1.0);
        std::size_t free = 0;
        for (const WidthDimension& width : context.space().widths) free += width.values.size() > 1 ? 1 : 0;
        for (const DepthDimension& depth : context.space().depths) free += depth.values.size() > 1 ? 1 : 0;
        ASSERT_EQ(all.steps.size(), free);
        for (const Contribution& step : all.steps) {
            if (!step.to || !step.added) continue;
            ScalingChoice choice = from;
            const auto place = static_cast<std::size_t>(*step.stage);
            if (step.dimension == StepDimension::width) {
                choice.widths[place] = *step.to;
            } else {
                choice.depths[place - choice.widths.size()] = *step.to;
            }
            const Evaluation after = *context.evaluate(choice);
            EXPECT_EQ(*step.to < step.from, all.down);
            EXPECT_DOUBLE_EQ(step.added->gain, *after.gain - *context.base_evaluation().gain);
            EXPECT_EQ(step.added->params, after.usage.params - context.base_evaluation().usage.params);
        }
        ScalingChoice outside = from;
        outside.widths.front() += 1;
        EXPECT_THROW(explain(context, outside, context.budget_us(budget), basis), InputError);
    }
}

}  // namespace
}  // namespace hacscale
