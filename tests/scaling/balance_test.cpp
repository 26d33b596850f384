// The gain that is used when nothing is given: it saturates, and neighbouring stages keep together.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "models/zoo/zoo.hpp"
#include "scaling/costs.hpp"
#include "scaling/gain.hpp"
#include "scaling/stage_context.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

TEST(BalancedGain, SaturatesWithTheSlopeOfTheLogarithm) {
    const Gain gain = balanced_gain(find_model("resnet20-cifar"));
    EXPECT_NEAR(gain.worth(100001, 100000), 1e-5, 1e-9);
    EXPECT_EQ(gain.worth(64, 64), 0.0);
    for (const int value : {8, 32, 63, 65, 96, 512}) {
        EXPECT_LT(gain.worth(value, 64), std::log(value / 64.0)) << value;
    }
}

TEST(BalancedGain, PricesNeighboursThatPart) {
    const ModelSpec base = find_model("resnet20-cifar");
    const Gain gain = balanced_gain(base);
    EXPECT_EQ(gain.imbalance_loss(0, 0, 32), 0.0);
    EXPECT_NEAR(gain.imbalance_loss(1, 16, 64), 0.0, 1e-15) << "a factor of 2 is free";
    EXPECT_EQ(gain.imbalance_loss(1, 32, 64), 0.0) << "both grow";
    EXPECT_GT(gain.imbalance_loss(1, 8, 64), 0.0);
    EXPECT_NEAR(gain.imbalance_loss(1, 8, 64), gain.imbalance_loss(1, 32, 16), 1e-12);
    ScalingChoice zigzag = choice_of(base);
    zigzag.widths = {8, 64, 32};
    Gain unpriced = gain;
    unpriced.imbalance = 0.0;
    EXPECT_NEAR(gain.of(zigzag),
                unpriced.of(zigzag) - gain.imbalance_loss(1, 8, 64) - gain.imbalance_loss(2, 64, 32), 1e-12);
}

// What the planner adds up is what the gain says.
TEST(BalancedGain, OfAChainIsThatOfTheChoice) {
    const ModelSpec base = find_model("resnet20-cifar");
    const SyntheticSource source;
    const ScalingSpace space = make_space(base, {});
    ChainProblem problem = stage_costs(base, space, source).problem;
    const Gain gain = balanced_gain(base);
    set_gains(problem, space, gain);
    std::mt19937_64 random(1);
    const auto index_of = [&random](const std::vector<int>& values) {
        return static_cast<int>(random() % values.size());
    };
    int compared = 0;
    while (compared < 50) {
        ChainChoice indices;
        for (const StageSpace& stage : space.stages) {
            indices.widths.push_back(index_of(stage.widths));
            indices.depths.push_back(index_of(stage.depths));
        }
        const std::optional<ChainTotals> totals = totals_of(problem, indices);
        if (!totals) continue;
        ++compared;
        EXPECT_NEAR(static_cast<double>(totals->gain) / gain_quanta_per_unit,
                    gain.of(choice_from(space, indices)), 1e-7);
    }
}

TEST(BalancedGain, PlansAreExactBelowAndAboveTheBase) {
    const ModelSpec base = find_model("resnet20-cifar");
    const SyntheticSource source;
    for (const double budget : {0.8, 1.4}) {
        ScalingSettings settings;
        settings.max_budget = budget;
        settings.space.grid = 16;
        settings.space.min_depth_ratio = settings.space.max_depth_ratio = 1.0;
        const StageContext context(base, source, settings, balanced_gain(base));
        std::optional<double> best;
        ScalingChoice choice = choice_of(base);
        for (const int first : context.stage_space().stages[0].widths) {
            for (const int second : context.stage_space().stages[1].widths) {
                for (const int third : context.stage_space().stages[2].widths) {
                    choice.widths = {first, second, third};
                    const std::optional<Evaluation> network = context.evaluate(choice);
                    if (!network || network->latency_us() > context.budget_us(budget)) continue;
                    best = std::max(best.value_or(*network->gain), *network->gain);
                }
            }
        }
        const Fit found = fit(find_strategy("hacscale"), context, context.budget_us(budget));
        ASSERT_EQ(found.status == FitStatus::ok, best.has_value()) << found.reason;
        if (best) {
            EXPECT_NEAR(*found.result.gain, *best, 1e-7) << budget;
        }
    }
}

// A device on which maps of some sizes are nearly free and those of others expensive: what makes plain capacity
// alternate.
class UnevenSource : public LatencySource {
public:
    LatencyEstimate estimate(const LayerSpec& layer) const override {
        const LayerCost cost = cost_of(layer, 1, DataType::f32);
        const bool expensive = layer.in_height == 56 || layer.in_height == 14;
        return {1.0 + static_cast<double>(cost.macs) / (expensive ? 2e3 : 200e3), EstimateKind::measured};
    }
};

// The greatest factor between the width ratios of neighbouring stages.
double greatest_parting(const ScalingChoice& choice, const ScalingChoice& base) {
    double most = 0.0;
    for (std::size_t i = 1; i < choice.widths.size(); ++i) {
        const double ratio = static_cast<double>(choice.widths[i]) / base.widths[i];
        const double before = static_cast<double>(choice.widths[i - 1]) / base.widths[i - 1];
        most = std::max(most, std::abs(std::log(ratio / before)));
    }
    return std::exp(most);
}

TEST(BalancedGain, DoesNotAlternateNarrowAndWideStages) {
    const ModelSpec base = find_model("efficientnet-b0");
    const UnevenSource source;
    ScalingSettings settings;
    settings.max_budget = 1.1;
    settings.space.grid = 16;
    settings.space.min_width_ratio = 0.25;
    settings.space.max_width_ratio = 4.0;
    settings.space.min_depth_ratio = settings.space.max_depth_ratio = 1.0;
    const auto parting = [&](const Gain& gain) {
        const StageContext context(base, source, settings, gain);
        const Fit found = fit(find_strategy("hacscale"), context, context.budget_us(1.065));
        EXPECT_GT(*found.result.gain, 0.0);
        return greatest_parting(found.result.choice, context.base_choice());
    };
    EXPECT_GT(parting(capacity_gain(base)), 5.0) << "the device provokes it";
    EXPECT_LT(parting(balanced_gain(base)), 4.5);
}

TEST(LoadGain, IsBalancedUnlessCapacityIsNamed) {
    const ModelSpec base = find_model("resnet20-cifar");
    EXPECT_EQ(load_gain({}, base).origin, GainOrigin::balanced);
    const Gain capacity = load_gain({"capacity"}, base);
    EXPECT_EQ(capacity.origin, GainOrigin::capacity);
    EXPECT_EQ(capacity.saturation, 0.0);
    EXPECT_EQ(capacity.imbalance, 0.0);
}

}  // namespace
}  // namespace hacscale
