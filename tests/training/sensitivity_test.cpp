#include "training/sensitivity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

#include "models/formats/formats.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/test_name.hpp"
#include "training_support.hpp"

namespace hacscale {
namespace {

// Accuracies that follow the gain model exactly, with an offset for each seed.
struct MadeUp {
    std::vector<double> width, depth;  // points for each unit of ln ratio
    double base = 60.0;

    double points(const ScalingChoice& from, const ScalingChoice& to, std::uint64_t seed) const {
        double sum = base + 0.3 * static_cast<double>(seed);
        for (std::size_t s = 0; s < width.size(); ++s) {
            sum += width[s] * std::log(static_cast<double>(to.widths[s]) / from.widths[s]) +
                   depth[s] * std::log(static_cast<double>(to.depths[s]) / from.depths[s]);
        }
        return sum;
    }
};

MadeUp made_up(std::size_t stages, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> any(0.0, 6.0);
    MadeUp truth;
    for (std::size_t s = 0; s < stages; ++s) {
        truth.width.push_back(any(generator));
        truth.depth.push_back(any(generator));
    }
    return truth;
}

class SensitivityOfModel : public ::testing::TestWithParam<std::string> {
protected:
    const ModelSpec base = find_model(GetParam());
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, {});
};

TEST_P(SensitivityOfModel, EveryStepIsANetworkOfItsOwn) {
    std::set<std::string> hashes;
    for (const SensitivityStep& step : steps) {
        const ModelSpec model = model_of(base, step);
        EXPECT_TRUE(hashes.insert(model_hash(model)).second) << step.name;
        EXPECT_EQ(parse_model(to_yaml(model), step.name), model);  // its name is one that files may have
    }
    EXPECT_EQ(model_of(base, steps.front()), base);
    EXPECT_EQ(steps.size(), 1 + 2 * base.stages.size() + 3);
}

TEST_P(SensitivityOfModel, KnownCoefficientsAreRecoveredAndCombinationsPredicted) {
    for (unsigned round = 1; round <= 20; ++round) {
        const MadeUp truth = made_up(base.stages.size(), round);
        std::vector<StepAccuracy> accuracies;
        for (const SensitivityRun& run : sensitivity_runs(steps, 3)) {
            const double points = truth.points(choice_of(base), steps[run.step].choice, run.seed);
            accuracies.push_back({run.step, run.seed, points / 100.0});
        }
        const Sensitivity fit = fit_sensitivity(base, steps, accuracies);
        ASSERT_TRUE(fit.base);
        EXPECT_NEAR(*fit.base->spread, 0.3, 1e-9);
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            EXPECT_NEAR(fit.stages[s].width->coefficient.mean, truth.width[s], 1e-9);
            EXPECT_NEAR(fit.stages[s].depth->coefficient.mean, truth.depth[s], 1e-9);
            EXPECT_NEAR(*fit.stages[s].width->coefficient.spread, 0.0, 1e-9);
            EXPECT_EQ(fit.stages[s].width->coefficient.seeds, 3);
        }
        ASSERT_EQ(fit.combinations.size(), 3U);
        for (const PredictionCheck& check : fit.combinations) {
            EXPECT_NEAR(*check.predicted_points, check.points.mean, 1e-9) << check.name;
        }
    }
}

TEST_P(SensitivityOfModel, EachPrefixOfTheRunsTellsAsMuchAsItCan) {
    const std::vector<SensitivityRun> runs = sensitivity_runs(steps, 2);
    ASSERT_EQ(runs.size(), 2 * steps.size());
    EXPECT_EQ(steps[runs[0].step].kind, StepKind::base);
    const std::size_t single = 1 + 2 * base.stages.size();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        EXPECT_EQ(steps[runs[i].step].kind == StepKind::combination, i >= 2 * single);
        if (i >= 2 * single) continue;
        EXPECT_EQ(runs[i].seed, i < single ? 1U : 2U);
    }
}

INSTANTIATE_TEST_SUITE_P(Zoo, SensitivityOfModel,
                         ::testing::Values("resnet20-cifar", "mobilenetv2-0.35-cifar", "wrn-16-4-cifar",
                                           "vgg16-bn-cifar"),
                         [](const auto& model) { return testing::test_name(model.param); });

TEST(Sensitivity, NoDimensionIsWorthLessThanNothing) {
    const ModelSpec base = find_model("resnet20-cifar");
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, {}, 12);
    MadeUp truth{{1.0, 2.0, 3.0}, {-1.5, 0.0, 1.0}};
    std::vector<StepAccuracy> accuracies;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        accuracies.push_back({i, 1, truth.points(choice_of(base), steps[i].choice, 1) / 100.0});
    }
    const Sensitivity fit = fit_sensitivity(base, steps, accuracies);
    EXPECT_EQ(fit.stages[0].depth->coefficient.mean, 0.0);
    EXPECT_LT(fit.stages[0].depth->points.mean, 0.0) << "what was measured stays";
    EXPECT_GT(fit.stages[2].depth->coefficient.mean, 0.0);
}

// One noisy step misleads a coefficient that is read from it alone; the combinations hold it.
TEST(Sensitivity, CombinationsMendWhatNoiseDoesToASingleStep) {
    const ModelSpec base = find_model("resnet20-cifar");
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, {}, 12);
    double fitted = 0.0;
    double single = 0.0;
    for (unsigned round = 1; round <= 50; ++round) {
        const MadeUp truth = made_up(base.stages.size(), round);
        std::mt19937 generator(100 + round);
        std::normal_distribution<double> noise(0.0, 0.4);
        std::vector<StepAccuracy> accuracies;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double points = truth.points(choice_of(base), steps[i].choice, 1);
            accuracies.push_back({i, 1, (points + (i == 0 ? 0.0 : noise(generator))) / 100.0});
        }
        const Sensitivity fit = fit_sensitivity(base, steps, accuracies);
        for (std::size_t s = 0; s < base.stages.size(); ++s) {
            const auto add = [&](const DimensionSensitivity& dimension, double right) {
                fitted += std::abs(dimension.coefficient.mean - right);
                single += std::abs(dimension.points.mean / dimension.ln_ratio - right);
            };
            add(*fit.stages[s].width, truth.width[s]);
            add(*fit.stages[s].depth, truth.depth[s]);
        }
    }
    EXPECT_LT(fitted, 0.9 * single);
}

TEST(Sensitivity, WhatWasNotMeasuredIsNotThere) {
    const ModelSpec base = testing::small_model();
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, {});
    EXPECT_FALSE(fit_sensitivity(base, steps, {}).base);
    EXPECT_FALSE(fit_sensitivity(base, steps, {{1, 1, 0.5}}).stages[0].width);  // no base
    // The base of another seed is no base; one of two seeds has its partner.
    const Sensitivity fit =
        fit_sensitivity(base, steps, {{0, 1, 0.5}, {1, 1, 0.51}, {1, 2, 0.9}, {2, 2, 0.9}});
    EXPECT_NEAR(fit.stages[0].width->points.mean, 1.0, 1e-9);
    EXPECT_FALSE(fit.stages[0].width->points.spread);
    EXPECT_FALSE(fit.stages[1].width);
    // A combination whose parts are not all known has no prediction.
    const Sensitivity partial =
        fit_sensitivity(base, steps, {{0, 1, 0.5}, {1, 1, 0.51}, {steps.size() - 1, 1, 0.6}});
    ASSERT_EQ(partial.combinations.size(), 1U);
    EXPECT_FALSE(partial.combinations[0].predicted_points);
}

TEST(Sensitivity, OnlyTheNamedStagesAreRaised) {
    const ModelSpec base = testing::small_model();
    for (const SensitivityStep& step : sensitivity_steps(base, {"stage2"})) {
        EXPECT_EQ(step.choice.widths[0], base.stages[0].width);
        EXPECT_EQ(step.choice.depths[2], base.stages[2].depth);
    }
    // Base, width, depth and both: all widths are the one width.
    EXPECT_EQ(sensitivity_steps(base, {"stage2"}).size(), 4U);
    EXPECT_THROW(sensitivity_steps(base, {"stage9"}), InputError);
    EXPECT_THROW(sensitivity_steps(base, {"stage1", "stage1"}), InputError);
}

TEST(Sensitivity, HeldOutNetworksAreNewAndInReachOfTheBase) {
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35-cifar"}) {
        const ModelSpec base = find_model(name);
        const std::vector<SensitivityStep> steps = sensitivity_steps(base, {}, 20);
        EXPECT_EQ(steps.size(), 1 + 2 * base.stages.size() + 3 + 20);
        std::set<std::string> hashes;
        for (const SensitivityStep& step : steps) {
            EXPECT_TRUE(hashes.insert(model_hash(model_of(base, step))).second) << step.name;
            for (std::size_t s = 0; s < base.stages.size(); ++s) {
                EXPECT_LE(step.choice.depths[s], 2 * base.stages[s].depth);
                EXPECT_GE(2 * step.choice.depths[s], base.stages[s].depth);
                EXPECT_LE(step.choice.widths[s], 2 * base.stages[s].width + 4);
                EXPECT_GE(2 * step.choice.widths[s] + 8, base.stages[s].width);
                EXPECT_EQ(step.choice.widths[s] % 8,
                          base.stages[s].width == step.choice.widths[s] ? base.stages[s].width % 8 : 0);
            }
        }
        const std::vector<SensitivityStep> again = sensitivity_steps(base, {}, 20);
        EXPECT_EQ(again.back().choice, steps.back().choice);
        EXPECT_EQ(sensitivity_runs(steps, 2).back().step, steps.size() - 1);
        EXPECT_EQ(steps.back().name, "held-out-20");
    }
    for (const SensitivityStep& step : sensitivity_steps(testing::small_model(), {"stage2"}, 5)) {
        EXPECT_EQ(step.choice.widths[0], testing::small_model().stages[0].width);
    }
}

TEST(Sensitivity, StepsAreSmallAndUpwards) {
    const ModelSpec base = find_model("resnet20-cifar");
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, {});
    EXPECT_EQ(steps[1].choice.widths, (std::vector<int>{24, 32, 64}));
    EXPECT_EQ(steps[4].choice.depths, (std::vector<int>{4, 3, 3}));
    EXPECT_EQ(steps[4].name, "stage1.depth-4");
}

}  // namespace
}  // namespace hacscale
