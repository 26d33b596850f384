// What one step of an inner width adds: against a full evaluation of both networks, and against all values
// that there are.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

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
using testing::SyntheticSource;

ScalingSettings open_settings(int inner_widths, std::optional<double> epsilon = std::nullopt) {
    ScalingSettings settings;
    settings.space.min_inner_ratio = 0.5;
    settings.space.max_inner_ratio = 1.5;
    settings.space.inner_widths = inner_widths;
    settings.epsilon = epsilon;
    return settings;
}

std::vector<int> options_of(const ScalingSpace& space, const ScalingChoice& choice, std::size_t stage,
                            int block) {
    return space.inner.options(stage, block, stage == 0 ? 0 : choice.widths[stage - 1], choice.widths[stage]);
}

// Every other stage follows.
ScalingChoice random_inner(const ModelSpec& base, const ScalingSpace& space, std::mt19937_64& random) {
    ScalingChoice choice = random_choice(base, space, random);
    const ModelSpec following = scaled(base, choice);
    choice.inner_widths.resize(base.stages.size());
    for (std::size_t stage = random() % 2; stage < base.stages.size(); stage += 2) {
        choice.inner_widths[stage] = following.stages[stage].inner_widths;
        for (std::size_t block = 0; block < choice.inner_widths[stage].size(); ++block) {
            const std::vector<int> options = options_of(space, choice, stage, static_cast<int>(block));
            if (const int inner = options[random() % options.size()]; inner != 0) {
                choice.inner_widths[stage][block] = inner;
            }
        }
    }
    return canonical(base, choice);
}

bool in_space(const ModelSpec& base, const ScalingSpace& space, const ScalingChoice& choice) {
    if (!space.contains(choice)) return false;
    const ModelSpec model = scaled(base, choice);
    for (std::size_t stage = 0; stage < model.stages.size(); ++stage) {
        for (std::size_t block = 0; block < model.stages[stage].inner_widths.size(); ++block) {
            const std::vector<int> options = options_of(space, choice, stage, static_cast<int>(block));
            const int inner = model.stages[stage].inner_widths[block];
            if (options.front() != 0 && std::find(options.begin(), options.end(), inner) == options.end()) {
                return false;
            }
        }
    }
    return true;
}

constexpr double ample_us = 1e9;  // a budget that all networks keep: steps lead up

TEST(InnerContributions, AreTheDifferencesBetweenTwoEvaluations) {
    const SyntheticSource source;
    std::mt19937_64 random(7);
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "efficientnet-b0", "resnet50"}) {
        const ModelSpec base = find_model(name);
        const StageContext context(base, source, open_settings(4), capacity_gain(base));
        int inner_steps = 0;
        for (int i = 0; i < 4; ++i) {
            const ScalingChoice from = random_inner(base, context.stage_space(), random);
            const Evaluation before = *context.evaluate(from);
            for (const Contribution& step : explain(context, from, ample_us, basis).steps) {
                if (!step.to) continue;
                const ScalingChoice larger = after(from, step, base);
                if (!keeps_skips(base, larger.widths)) {
                    EXPECT_EQ(step.outcome, StepOutcome::invalid);
                    EXPECT_THAT(step.reason, HasSubstr("two widths equal"));
                    continue;
                }
                if (!in_space(base, context.stage_space(), larger)) {
                    EXPECT_EQ(step.outcome, StepOutcome::space_end) << name << " " << step.reason;
                    EXPECT_THAT(step.reason, HasSubstr("leaves the space"));
                    EXPECT_FALSE(step.added);
                    continue;
                }
                inner_steps += step.dimension == StepDimension::inner_width ? 1 : 0;
                const Evaluation evaluation = *context.evaluate(larger);
                ASSERT_TRUE(step.added) << name << " " << name_of(step.dimension) << " " << step.reason;
                EXPECT_NEAR(step.added->latency_us, evaluation.latency_us() - before.latency_us(), 1e-5);
                EXPECT_EQ(step.added->params, evaluation.usage.params - before.usage.params);
                EXPECT_EQ(step.added->macs, evaluation.usage.macs - before.usage.macs);
                EXPECT_NEAR(step.added->gain, *evaluation.gain - *before.gain, 1e-12);
                EXPECT_NEAR(*step.added->utilization,
                            *utilization(lower(scaled(base, larger)), source, 1, basis.peak) -
                                *utilization(lower(scaled(base, from)), source, 1, basis.peak),
                            1e-8);
            }
        }
        EXPECT_GT(inner_steps, 20) << name;
    }
}

// One line for each block that has an inner width to choose, and none between it and the next one.
TEST(InnerContributions, AreTheNextValueOfEachBlock) {
    const SyntheticSource source;
    std::mt19937_64 random(8);
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "resnet50"}) {
        const ModelSpec base = find_model(name);
        const StageContext context(base, source, open_settings(0), capacity_gain(base));
        const ScalingChoice from = random_inner(base, context.stage_space(), random);
        const ModelSpec model = scaled(base, from);
        std::set<std::pair<int, int>> blocks;
        for (const Contribution& step : explain(context, from, ample_us, basis).steps) {
            if (step.dimension != StepDimension::inner_width) {
                EXPECT_FALSE(step.block);
                continue;
            }
            const auto stage = static_cast<std::size_t>(*step.stage);
            const auto block = static_cast<std::size_t>(*step.block);
            EXPECT_TRUE(blocks.emplace(*step.stage, *step.block).second);
            EXPECT_EQ(step.from, model.stages[stage].inner_widths[block]);
            const std::vector<int>& base_inner = base.stages[stage].inner_widths;
            EXPECT_EQ(step.base, block < base_inner.size() ? base_inner[block] : base_inner.back());
            std::optional<int> next;
            for (const int option : options_of(context.stage_space(), from, stage, *step.block)) {
                if (option > step.from && (!next || option < *next)) next = option;
            }
            EXPECT_EQ(step.to, next);
            if (!next) {
                EXPECT_THAT(step.reason, HasSubstr("channels"));
            }
        }
        for (std::size_t stage = 0; stage < model.stages.size(); ++stage) {
            for (int block = 0; block < model.stages[stage].depth; ++block) {
                const bool is_free = options_of(context.stage_space(), from, stage, block).front() != 0;
                EXPECT_EQ(blocks.contains({static_cast<int>(stage), block}), is_free)
                    << name << stage << block;
            }
        }
    }
}

TEST(InnerContributions, AreLeftOutWhereInnerWidthsOnlyFollow) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    const StageContext context(base, source, {}, capacity_gain(base));
    const auto all = explain(context, choice_of(base), context.budget_us(1.5), basis);
    EXPECT_EQ(all.steps.size(), 2 * base.stages.size() + 1);
}

// The exact choice is the best of the space, so no step that gains can be left within the budget; a bounded
// one may leave steps that need the last of it.
TEST(InnerContributions, OfAPlannedChoiceFitOnlyWithinItsBound) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    for (const double epsilon : {0.0, 0.001, 0.02}) {
        const StageContext context(base, source, open_settings(3, epsilon), capacity_gain(base));
        for (const double budget : {1.0, 1.065, 1.5}) {
            const double budget_us = context.budget_us(budget);
            const Fit chosen = fit(find_strategy("hacscale"), context, budget_us);
            ASSERT_EQ(chosen.status, FitStatus::ok);
            const auto all = explain(context, chosen.result.choice, budget_us, basis);
            for (const Contribution& step : all.steps) {
                if (step.outcome != StepOutcome::fits) continue;
                const double latency_us = all.network.latency_us() + step.added->latency_us;
                EXPECT_GT(latency_us, budget_us / (1.0 + epsilon))
                    << budget << " " << name_of(step.dimension) << " " << step.reason;
                EXPECT_GT(epsilon, 0.0) << step.reason;
            }
        }
    }
}

// What a table lacks of a step is told for the block concerned, and the others are not touched.
TEST(InnerContributions, SayHowTheChangedLayersAreKnown) {
    const ModelSpec base = find_model("resnet20-cifar");
    const SyntheticSource source([](const LayerSpec& layer) { return layer.out_channels == 72; });
    const StageContext context(base, source, open_settings(0), capacity_gain(base));
    const auto all = explain(context, choice_of(base), context.budget_us(1.5), basis);
    int missing = 0;
    for (const Contribution& step : all.steps) {
        if (step.dimension != StepDimension::inner_width) continue;
        const bool third = *step.stage == 2;  // 64 channels, the next are 72
        EXPECT_EQ(step.outcome == StepOutcome::missing, third) << step.reason;
        EXPECT_EQ(*step.estimate, third ? EstimateKind::missing : EstimateKind::measured);
        missing += third ? 1 : 0;
    }
    EXPECT_EQ(missing, 3);
    EXPECT_TRUE(all.has_missing());
}

}  // namespace
}  // namespace hacscale
