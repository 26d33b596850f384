#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "models/zoo.hpp"
#include "scaling/staircase.hpp"
#include "scaling/strategies/multiplier.hpp"
#include "scaling/strategies/strategy.hpp"
#include "scaling/strategies/width_on_edges.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

ScalingContext make_context(const std::string& model, const LatencySource& source,
                            ScalingSettings settings = {}) {
    const ModelSpec base = find_model(model);
    const int step = resolution_step(base);
    settings.space.resolutions = {base.resolution - step, base.resolution + step};
    return ScalingContext(base, source, settings, capacity_gain(base));
}

// The two others maximize something else than the gain reported, so it need not rise with their budget.
bool judged_by_gain(const Strategy& strategy) {
    return strategy.name != "hacscale-no-importance" && strategy.name != "hacscale-no-utilization";
}

bool is_planned(const Strategy& strategy) {
    return strategy.name.starts_with("hacscale");
}

void expect_on_grid(const ScalingContext& context, const ScalingChoice& choice) {
    const int grid = context.settings().space.grid;
    for (std::size_t s = 0; s < choice.widths.size(); ++s) {
        const int width = choice.widths[s];
        EXPECT_TRUE(width % grid == 0 || width == context.base().stages[s].width) << width;
        EXPECT_GE(choice.depths[s], 1);
    }
    const int step = resolution_step(context.base());
    EXPECT_TRUE(choice.resolution % step == 0 || choice.resolution == context.base().resolution);
}

using Case = std::tuple<std::string, std::string>;  // strategy, model

class EveryStrategy : public ::testing::TestWithParam<Case> {
protected:
    const Strategy& strategy() const { return find_strategy(std::get<0>(GetParam())); }
    const std::string& model() const { return std::get<1>(GetParam()); }

    SyntheticSource source_;
};

TEST_P(EveryStrategy, StaysWithinTheBudgetAndOnTheGrid) {
    const ScalingContext context = make_context(model(), source_);
    for (const double ratio : {1.0, 1.065, 1.5, 2.0}) {
        const double budget_us = context.budget_us(ratio);
        const Fit result = fit(strategy(), context, budget_us);
        ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
        EXPECT_EQ(result.strategy, strategy().name);
        EXPECT_LE(result.predicted_us(), budget_us + 1e-3);
        expect_on_grid(context, result.result.choice);
        // The figures are those of the model it names.
        const Network network = lower(scaled(context.base(), result.result.choice));
        EXPECT_NEAR(result.predicted_us(), estimate(network, source_).latency_us, 1e-3);
        EXPECT_EQ(result.result.needs.params, network.params());
        EXPECT_EQ(result.result.needs.macs, network.macs());
        EXPECT_NEAR(*result.result.gain, context.gain().of(result.result.choice), 1e-12);
        // The next step is too slow.
        if (result.next_us) {
            EXPECT_GT(*result.next_us, budget_us);
        }
        if (!is_planned(strategy())) {
            EXPECT_TRUE(result.next_us.has_value());
        }
    }
}

TEST_P(EveryStrategy, GivesTheSameAnswerTwice) {
    const ScalingContext context = make_context(model(), source_);
    const double budget_us = context.budget_us(1.3);
    const Fit first = fit(strategy(), context, budget_us);
    fit(strategy(), context, context.budget_us(1.7));
    const Fit second = fit(strategy(), context, budget_us);
    const Fit elsewhere = fit(strategy(), make_context(model(), source_), budget_us);
    EXPECT_EQ(first.result.choice, second.result.choice);
    EXPECT_EQ(first.result.choice, elsewhere.result.choice);
}

TEST_P(EveryStrategy, ABudgetOfOneGivesTheBaseOrBetter) {
    const ScalingContext context = make_context(model(), source_);
    const Fit result = fit(strategy(), context, context.budget_us(1.0));
    ASSERT_EQ(result.status, FitStatus::ok);
    if (judged_by_gain(strategy())) {
        EXPECT_GE(*result.result.gain, 0.0);
    }
}

TEST_P(EveryStrategy, GainsMoreFromALargerBudget) {
    const ScalingContext context = make_context(model(), source_);
    if (!judged_by_gain(strategy())) return;
    double before = -1.0;
    for (double ratio = 1.0; ratio <= 2.0; ratio += 0.1) {
        const Fit result = fit(strategy(), context, context.budget_us(ratio));
        EXPECT_GE(*result.result.gain, before);
        before = *result.result.gain;
    }
}

TEST_P(EveryStrategy, SaysWhyNothingFits) {
    const ScalingContext context = make_context(model(), source_);
    const Fit result = fit(strategy(), context, 1.0);
    EXPECT_EQ(result.status, FitStatus::infeasible);
    EXPECT_NE(result.reason.find("the base"), std::string::npos);
}

TEST_P(EveryStrategy, KeepsToTheCapOnParams) {
    ScalingSettings settings;
    settings.caps.params = lower(find_model(model())).params() * 11 / 10;
    const ScalingContext context = make_context(model(), source_, settings);
    const Fit result = fit(strategy(), context, context.budget_us(1.8));
    ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
    EXPECT_LE(result.result.needs.params, *settings.caps.params);

    settings.caps.params = 1;
    const Fit nothing = fit(strategy(), make_context(model(), source_, settings), context.budget_us(1.8));
    EXPECT_EQ(nothing.status, FitStatus::infeasible);
    EXPECT_NE(nothing.reason.find("cap"), std::string::npos);
}

TEST_P(EveryStrategy, RefusesBudgetsThatMakeNoSense) {
    const ScalingContext context = make_context(model(), source_);
    for (const double budget_us : {0.0, -1.0, std::nan(""), 3.0 * context.base_evaluation().latency_us()}) {
        EXPECT_THROW(fit(strategy(), context, budget_us), InputError);
    }
}

TEST_P(EveryStrategy, NeverChoosesALayerThatTheTableLacks) {
    const ModelSpec base = find_model(model());
    std::set<LayerSpec> of_base;
    for (const NetworkNode& node : lower(base).nodes) of_base.insert(node.layer);
    const SyntheticSource gaps(
        [&](const LayerSpec& layer) { return !of_base.contains(layer) && LayerSpecHash{}(layer) % 7 == 0; });
    const ScalingContext context = make_context(model(), gaps);
    const Fit result = fit(strategy(), context, context.budget_us(1.5));
    ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
    EXPECT_EQ(result.result.missing_layers, 0);
    EXPECT_LE(result.predicted_us(), context.budget_us(1.5) + 1e-3);
}

std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (const Strategy& strategy : strategies()) names.emplace_back(strategy.name);
    return names;
}

std::string test_name(const ::testing::TestParamInfo<Case>& info) {
    std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
    for (char& character : name) {
        if (!std::isalnum(static_cast<unsigned char>(character))) character = '_';
    }
    return name;
}

INSTANTIATE_TEST_SUITE_P(Table, EveryStrategy,
                         ::testing::Combine(::testing::ValuesIn(all_names()),
                                            ::testing::Values("resnet20-cifar", "mobilenetv2-0.35")),
                         test_name);

TEST(Strategies, NamesAreKnownAndDistinct) {
    const std::vector<std::string> names = all_names();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    for (const char* name :
         {"width-only", "depth-only", "resolution-only", "depth-width", "uniform", "compound", "fast",
          "width-on-edges", "hacscale-no-importance", "hacscale-no-utilization", "hacscale"}) {
        EXPECT_EQ(find_strategy(name).name, name);
        EXPECT_FALSE(find_strategy(name).description.empty());
        EXPECT_FALSE(find_strategy(name).rule.empty());
    }
    EXPECT_THROW(find_strategy("wider"), InputError);
}

TEST(Strategies, HacscaleGainsAtLeastWhatEveryOtherDoesWithinItsSpace) {
    const SyntheticSource source;
    for (const char* model : {"resnet20-cifar", "mobilenetv2-0.35", "mobilenetv2-1.0"}) {
        const ScalingContext context = make_context(model, source);
        for (const double ratio : {1.0, 1.065, 1.4}) {
            const Fit best = fit(find_strategy("hacscale"), context, context.budget_us(ratio));
            for (const Strategy& strategy : strategies()) {
                const Fit other = fit(strategy, context, context.budget_us(ratio));
                if (!context.space().contains(other.result.choice)) continue;
                EXPECT_GE(*best.result.gain, *other.result.gain - 1e-7) << model << " " << strategy.name;
            }
        }
    }
}

// Every configuration that rounding makes as s grows, found by brute stepping, is on the path, in order.
TEST(MultiplierPath, SkipsNoConfiguration) {
    const SyntheticSource source;
    const ScalingContext context = make_context("mobilenetv2-1.0", source);
    const rules::Exponents exponents{1.0 / 6, 1.0 / 3, 1.0 / 6};
    const rules::Path path = rules::multiplier_path(context, exponents);
    std::vector<ScalingChoice> steps;
    while (const auto choice = path()) steps.push_back(*choice);
    EXPECT_EQ(steps.front(), choice_of(context.base()));
    for (std::size_t i = 1; i < steps.size(); ++i) EXPECT_NE(steps[i - 1], steps[i]);

    std::size_t at = 1;
    for (double s = 1.0; s < 8.0; s *= 1.0001) {
        ScalingChoice rounded;
        for (const StageSpec& stage : context.base().stages) {
            rounded.widths.push_back(8 *
                                     static_cast<int>(std::lround(stage.width * std::pow(s, 1.0 / 6) / 8)));
            rounded.depths.push_back(static_cast<int>(std::lround(stage.depth * std::pow(s, 1.0 / 3))));
        }
        rounded.resolution = 8 * static_cast<int>(std::lround(224 * std::pow(s, 1.0 / 6) / 8));
        while (at < steps.size() && steps[at] != rounded && steps[at - 1] != rounded) ++at;
        ASSERT_LT(at, steps.size()) << "s = " << s;
    }
}

// Latency may fall again: the last configuration within the budget counts, not the one before the first that
// is over.
TEST(MultiplierPath, LooksBeyondAHumpInLatency) {
    class Hump : public SyntheticSource {
    public:
        LatencyEstimate estimate(const LayerSpec& layer) const override {
            LatencyEstimate result = SyntheticSource::estimate(layer);
            if (layer.out_channels == 72) result.latency_us *= 3.0;
            return result;
        }
    };
    const Hump hump;
    const ScalingContext context = make_context("resnet20-cifar", hump);
    const Fit result = fit(find_strategy("width-only"), context, context.budget_us(1.7));
    const rules::Path path = rules::multiplier_path(context, {0.5, 0.0, 0.0});
    int over_budget = 0;
    for (auto step = path(); step && *step != result.result.choice; step = path()) {
        over_budget += context.evaluate(*step)->latency_us() > context.budget_us(1.7) ? 1 : 0;
    }
    EXPECT_GT(over_budget, 0);
}

TEST(EdgesPath, StandsOnEdges) {
    const SyntheticSource source;
    const ScalingContext context = make_context("resnet20-cifar", source);
    const rules::Path path = rules::edges_path(context);
    ScalingChoice before = *path();
    EXPECT_EQ(before, choice_of(context.base()));
    int steps = 0;
    while (const auto choice = path()) {
        ++steps;
        EXPECT_NE(*choice, before);
        for (std::size_t s = 0; s < choice->widths.size(); ++s) {
            EXPECT_GE(choice->widths[s], before.widths[s]);
            EXPECT_LE(choice->widths[s], 4 * context.base().stages[s].width);
            if (choice->widths[s] == before.widths[s]) continue;
            if (choice->widths[s] == 4 * context.base().stages[s].width) continue;
            const StageView view(context.base(), static_cast<int>(s));
            const double here_us = view.at(choice->widths[s], source).latency_us;
            EXPECT_GT(view.at(choice->widths[s] + 8, source).latency_us, here_us);
        }
        before = *choice;
    }
    EXPECT_GT(steps, 3);
}

TEST(ScalingContext, BudgetsBelowTheBaseAreRefused) {
    const SyntheticSource source;
    const ScalingContext context = make_context("resnet20-cifar", source);
    EXPECT_DOUBLE_EQ(context.budget_us(1.0), context.base_evaluation().latency_us());
    for (const double ratio : {0.99, 0.0, -1.0, 2.01, std::nan("")}) {
        EXPECT_THROW(context.budget_us(ratio), InputError) << ratio;
    }
}

TEST(ScalingContext, RefusesABaseThatTheTableLacks) {
    const SyntheticSource nothing([](const LayerSpec& layer) { return layer.kind == LayerKind::linear; });
    EXPECT_THROW(make_context("resnet20-cifar", nothing), InputError);
}

TEST(ScalingContext, RefusesWhatDoesNotGoTogether) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    EXPECT_THROW(ScalingContext(base, source, {}, capacity_gain(find_model("resnet18"))), InputError);
    ScalingSettings settings;
    settings.max_budget = 0.5;
    EXPECT_THROW(ScalingContext(base, source, settings, capacity_gain(base)), InputError);
    settings = {};
    settings.caps.params = 0;
    EXPECT_THROW(ScalingContext(base, source, settings, capacity_gain(base)), InputError);
    settings = {};
    settings.space.resolutions = {36};
    Gain gain = capacity_gain(base);
    gain.resolution.reset();
    EXPECT_THROW(ScalingContext(base, source, settings, gain), InputError);
    EXPECT_NO_THROW(ScalingContext(base, source, {}, gain));
}

}  // namespace
}  // namespace hacscale
