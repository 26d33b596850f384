#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/analysis/staircase.hpp"
#include "scaling/stage_context.hpp"
#include "scaling/strategies/families.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/scaling/synthetic_source.hpp"
#include "tests/test_name.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

StageContext make_context(const std::string& model, const LatencySource& source,
                          ScalingSettings settings = {}) {
    const ModelSpec base = find_model(model);
    const int step = resolution_step(base);
    settings.space.resolutions = {base.resolution - step, base.resolution + step};
    settings.l1_scores = testing::made_up_scores(base, 1);
    settings.taylor_scores = testing::made_up_scores(base, 2);
    return StageContext(base, source, settings, capacity_gain(base));
}

// The other maximizes something else than the gain reported, so it may even fall.
bool judged_by_gain(const Strategy& strategy) {
    return strategy.name != "hacscale-no-importance";
}

// A larger budget can lead a search that looks one step ahead another way, to a worse end.
bool looks_one_step_ahead(const Strategy& strategy) {
    return strategy.name == "greedy" || strategy.name == "random";
}

bool is_planned(const Strategy& strategy) {
    return strategy.name.starts_with("hacscale") || strategy.name == "importance-width";
}

void expect_on_grid(const StageContext& context, const ScalingChoice& choice) {
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
    const StageContext context = make_context(model(), source_);
    for (const double ratio : {1.0, 1.065, 1.5, 2.0}) {
        const double budget_us = context.budget_us(ratio);
        const Fit result = fit(strategy(), context, budget_us);
        ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
        EXPECT_EQ(result.strategy, strategy().name);
        EXPECT_LE(result.predicted_us(), budget_us + 1e-3);
        expect_on_grid(context, result.result.choice);
        // The figures are those of the model it names.
        const Graph network = lower(scaled(context.base(), result.result.choice));
        EXPECT_NEAR(result.predicted_us(), estimate(network, source_).latency_us, 1e-3);
        EXPECT_EQ(result.result.usage.params, network.params());
        EXPECT_EQ(result.result.usage.macs, network.macs());
        EXPECT_NEAR(*result.result.gain, context.gain().of(result.result.choice), 1e-12);
        // The next step is too slow.
        if (result.next_us) {
            EXPECT_GT(*result.next_us, budget_us);
        }
        if (!is_planned(strategy()) && !strategy().shrinks_only) {
            EXPECT_TRUE(result.next_us.has_value());
        }
    }
}

TEST_P(EveryStrategy, GivesTheSameAnswerTwice) {
    const StageContext context = make_context(model(), source_);
    const double budget_us = context.budget_us(1.3);
    const Fit first = fit(strategy(), context, budget_us);
    fit(strategy(), context, context.budget_us(1.7));
    const Fit second = fit(strategy(), context, budget_us);
    const Fit elsewhere = fit(strategy(), make_context(model(), source_), budget_us);
    EXPECT_EQ(first.result.choice, second.result.choice);
    EXPECT_EQ(first.result.choice, elsewhere.result.choice);
}

TEST_P(EveryStrategy, ABudgetOfOneGivesTheBaseOrBetter) {
    const StageContext context = make_context(model(), source_);
    const Fit result = fit(strategy(), context, context.budget_us(1.0));
    ASSERT_EQ(result.status, FitStatus::ok);
    if (judged_by_gain(strategy())) {
        EXPECT_GE(*result.result.gain, 0.0);
    }
}

TEST_P(EveryStrategy, GainsMoreFromALargerBudget) {
    const StageContext context = make_context(model(), source_);
    if (!judged_by_gain(strategy()) || looks_one_step_ahead(strategy())) return;
    double before = -1.0;
    for (double ratio = 1.0; ratio <= 2.0; ratio += 0.1) {
        const Fit result = fit(strategy(), context, context.budget_us(ratio));
        EXPECT_GE(*result.result.gain, before);
        before = *result.result.gain;
    }
}

TEST_P(EveryStrategy, SaysWhyNothingFits) {
    const StageContext context = make_context(model(), source_);
    const Fit result = fit(strategy(), context, 1.0);
    EXPECT_EQ(result.status, FitStatus::infeasible);
    EXPECT_NE(result.reason.find("the base"), std::string::npos);
}

TEST_P(EveryStrategy, KeepsToTheCapOnParams) {
    ScalingSettings settings;
    settings.caps.params = lower(find_model(model())).params() * 11 / 10;
    const StageContext context = make_context(model(), source_, settings);
    const Fit result = fit(strategy(), context, context.budget_us(1.8));
    ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
    EXPECT_LE(result.result.usage.params, *settings.caps.params);

    settings.caps.params = 1;
    const Fit nothing = fit(strategy(), make_context(model(), source_, settings), context.budget_us(1.8));
    EXPECT_EQ(nothing.status, FitStatus::infeasible);
    EXPECT_NE(nothing.reason.find("cap"), std::string::npos);
}

TEST_P(EveryStrategy, RefusesBudgetsThatMakeNoSense) {
    const StageContext context = make_context(model(), source_);
    for (const double budget_us : {0.0, -1.0, std::nan(""), 3.0 * context.base_evaluation().latency_us()}) {
        EXPECT_THROW(fit(strategy(), context, budget_us), InputError);
    }
}

TEST_P(EveryStrategy, NeverChoosesALayerThatTheTableLacks) {
    const ModelSpec base = find_model(model());
    std::set<LayerSpec> of_base;
    for (const Node& node : lower(base).nodes) of_base.insert(node.layer);
    const SyntheticSource gaps(
        [&](const LayerSpec& layer) { return !of_base.contains(layer) && LayerSpecHash{}(layer) % 7 == 0; });
    const StageContext context = make_context(model(), gaps);
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

std::string strategy_test_name(const ::testing::TestParamInfo<Case>& info) {
    return testing::test_name(std::get<0>(info.param) + "_" + std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Table, EveryStrategy,
                         ::testing::Combine(::testing::ValuesIn(all_names()),
                                            ::testing::Values("resnet20-cifar", "mobilenetv2-0.35")),
                         strategy_test_name);

TEST(Strategies, NamesAreKnownAndDistinct) {
    const std::vector<std::string> names = all_names();
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    for (const char* name : {"width-only",
                             "depth-only",
                             "resolution-only",
                             "depth-width",
                             "uniform",
                             "compound",
                             "fast",
                             "width-on-edges",
                             "morph",
                             "random",
                             "greedy",
                             "l1-pruning",
                             "taylor-pruning",
                             "halp",
                             "importance-width",
                             "hacscale-widths",
                             "hacscale-depths",
                             "hacscale-no-importance",
                             "hacscale-no-utilization",
                             "hacscale"}) {
        EXPECT_EQ(find_strategy(name).name, name);
        EXPECT_FALSE(find_strategy(name).description.empty());
        EXPECT_FALSE(find_strategy(name).rule.empty());
    }
    EXPECT_THROW(find_strategy("wider"), InputError);
}

TEST(Strategies, HacscaleGainsAtLeastWhatEveryOtherDoesWithinItsSpace) {
    const SyntheticSource source;
    for (const char* model : {"resnet20-cifar", "mobilenetv2-0.35", "mobilenetv2-1.0"}) {
        const StageContext context = make_context(model, source);
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
    const StageContext context = make_context("mobilenetv2-1.0", source);
    const rules::Exponents exponents{1.0 / 6, 1.0 / 3, 1.0 / 6};
    const rules::Path path = rules::multiplier_path(context, choice_of(context.base()), exponents);
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
    const StageContext context = make_context("resnet20-cifar", hump);
    const Fit result = fit(find_strategy("width-only"), context, context.budget_us(1.7));
    const rules::Path path = rules::multiplier_path(context, choice_of(context.base()), {0.5, 0.0, 0.0});
    int over_budget = 0;
    for (auto step = path(); step && *step != result.result.choice; step = path()) {
        over_budget += context.evaluate(*step)->latency_us() > context.budget_us(1.7) ? 1 : 0;
    }
    EXPECT_GT(over_budget, 0);
}

bool same_but_one(const ScalingChoice& a, const ScalingChoice& b) {
    int differences = a.resolution != b.resolution ? 1 : 0;
    for (std::size_t s = 0; s < a.widths.size(); ++s) {
        differences += (a.widths[s] != b.widths[s] ? 1 : 0) + (a.depths[s] != b.depths[s] ? 1 : 0);
    }
    return differences == 1;
}

TEST(StepsFrom, AreAllNeighboursInTheSpace) {
    const SyntheticSource source;
    const StageContext context = make_context("mobilenetv2-0.35", source);
    for (const rules::Direction direction : {rules::Direction::up, rules::Direction::down}) {
        const ScalingChoice base = choice_of(context.base());
        const std::vector<ScalingChoice> steps = rules::steps_from(base, context.space(), direction);
        EXPECT_EQ(std::set<ScalingChoice>(steps.begin(), steps.end()).size(), steps.size());
        for (const ScalingChoice& step : steps) {
            EXPECT_TRUE(context.space().contains(step));
            EXPECT_TRUE(same_but_one(base, step));
            const std::vector<ScalingChoice> back = rules::steps_from(
                step, context.space(),
                direction == rules::Direction::up ? rules::Direction::down : rules::Direction::up);
            EXPECT_TRUE(std::ranges::find(back, base) != back.end());
        }
    }
}

// The greedy search ends where no single step fits any more.
TEST(Greedy, LeavesNoStepThatFitsAndGains) {
    const SyntheticSource source;
    for (const char* model : {"resnet20-cifar", "mobilenetv2-0.35"}) {
        const StageContext context = make_context(model, source);
        const double budget_us = context.budget_us(1.3);
        const Fit result = fit(find_strategy("greedy"), context, budget_us);
        EXPECT_GT(*result.result.gain, 0.0);
        for (const ScalingChoice& step :
             rules::steps_from(result.result.choice, context.space(), rules::Direction::up)) {
            const Evaluation next = *context.evaluate(step);
            EXPECT_TRUE(next.latency_us() > budget_us || *next.gain <= *result.result.gain);
        }
    }
}

TEST(Random, FindsSomethingAndNothingBetterThanThePlanner) {
    const SyntheticSource source;
    const StageContext context = make_context("mobilenetv2-0.35", source);
    const Fit random = fit(find_strategy("random"), context, context.budget_us(1.3));
    const Fit best = fit(find_strategy("hacscale"), context, context.budget_us(1.3));
    EXPECT_GT(*random.result.gain, 0.0);
    EXPECT_LT(*random.result.gain, *best.result.gain);
}

// Widths keep the proportions of what was left after the cut, and depths are the base's.
TEST(Morph, ChangesWidthsAlone) {
    const SyntheticSource source;
    const StageContext context = make_context("resnet20-cifar", source);
    const Fit result = fit(find_strategy("morph"), context, context.budget_us(1.5));
    ASSERT_EQ(result.status, FitStatus::ok);
    EXPECT_GE(*result.result.gain, 0.0);
    EXPECT_EQ(result.result.choice.depths, choice_of(context.base()).depths);
    EXPECT_EQ(result.result.choice.resolution, context.base().resolution);
}

// A gain that one stage has all of: the other stages' widths are cut to pay for it.
TEST(Morph, CutsWhatGainsNothing) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    Gain gain = capacity_gain(base);
    for (std::size_t s = 0; s < 2; ++s) gain.stages[s].width.value = 0.0;
    const StageContext context(base, source, {}, gain);
    const Fit result = fit(find_strategy("morph"), context, context.budget_us(1.2));
    const std::vector<int>& widths = result.result.choice.widths;
    EXPECT_GT(widths[2], base.stages[2].width);
    EXPECT_LT(widths[0] * base.stages[2].width, widths[2] * base.stages[0].width);
}

// By brute force over all widths of a network of three stages.
TEST(ImportanceWidth, HasTheMostGainOfAllWidthsWithinACapOnParams) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    ScalingSettings settings;
    settings.max_budget = 10.0;
    settings.space.max_width_ratio = 2.0;
    settings.caps.params = lower(base).params() * 12 / 10;
    Gain gain = capacity_gain(base);
    gain.stages[0].width.value *= 3.0;
    const StageContext context(base, source, settings, gain);
    double best = 0.0;
    ScalingChoice choice = choice_of(base);
    const ScalingSpace& space = context.stage_space();
    for (const int first : space.stages[0].widths) {
        for (const int second : space.stages[1].widths) {
            for (const int third : space.stages[2].widths) {
                choice.widths = {first, second, third};
                if (lower(scaled(base, choice)).params() > *settings.caps.params) continue;
                best = std::max(best, gain.of(choice));
            }
        }
    }
    const Fit result = fit(find_strategy("importance-width"), context, context.budget_us(10.0));
    ASSERT_EQ(result.status, FitStatus::ok) << result.reason;
    EXPECT_NEAR(*result.result.gain, best, 1e-6);
    EXPECT_EQ(result.result.choice.depths, choice_of(base).depths);
}

TEST(Hacscale, OfWidthsOrDepthsAloneLeavesTheRestAsItIs) {
    const SyntheticSource source;
    const StageContext context = make_context("mobilenetv2-1.0", source);
    const ScalingChoice base = choice_of(context.base());
    const Fit widths = fit(find_strategy("hacscale-widths"), context, context.budget_us(1.4));
    EXPECT_EQ(widths.result.choice.depths, base.depths);
    EXPECT_EQ(widths.result.choice.resolution, base.resolution);
    EXPECT_NE(widths.result.choice.widths, base.widths);
    const Fit depths = fit(find_strategy("hacscale-depths"), context, context.budget_us(1.4));
    EXPECT_EQ(depths.result.choice.widths, base.widths);
    EXPECT_EQ(depths.result.choice.resolution, base.resolution);
    EXPECT_NE(depths.result.choice.depths, base.depths);
}

// Where latency hardly rises with width, it is the space that ends the choice, and a user should hear of it.
TEST(Hacscale, SaysWhenTheSpaceEndsItsWidths) {
    const SyntheticSource source;
    ScalingSettings settings;
    settings.max_budget = 16.0;
    settings.space.max_width_ratio = settings.space.max_depth_ratio = 2.0;
    const StageContext context = make_context("resnet20-cifar", source, settings);
    const Fit ample = fit(find_strategy("hacscale"), context, context.budget_us(16.0));
    EXPECT_EQ(ample.result.choice.widths, (std::vector{32, 64, 128}));
    EXPECT_TRUE(ample.reason.starts_with("3 of 3 stages are as wide as the space allows, 2 times"))
        << ample.reason;
    EXPECT_EQ(fit(find_strategy("hacscale"), context, context.budget_us(1.05)).reason, "");
    EXPECT_EQ(fit(find_strategy("hacscale-depths"), context, context.budget_us(16.0)).reason, "");
}

TEST(EdgesPath, StandsOnEdges) {
    const SyntheticSource source;
    const StageContext context = make_context("resnet20-cifar", source);
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

TEST(ScalingContext, BudgetsOutsideOfTheLimitsAreRefused) {
    const SyntheticSource source;
    const StageContext context = make_context("resnet20-cifar", source);
    EXPECT_DOUBLE_EQ(context.budget_us(1.0), context.base_evaluation().latency_us());
    EXPECT_DOUBLE_EQ(context.budget_us(0.1), 0.1 * context.base_evaluation().latency_us());
    for (const double ratio : {0.05, 0.0, -1.0, 2.01, 17.0, std::nan("")}) {
        EXPECT_THROW(context.budget_us(ratio), InputError) << ratio;
    }
}

TEST(StageContext, RefusesABaseThatTheTableLacks) {
    const SyntheticSource nothing([](const LayerSpec& layer) { return layer.kind == LayerKind::linear; });
    EXPECT_THROW(make_context("resnet20-cifar", nothing), InputError);
}

TEST(StageContext, RefusesWhatDoesNotGoTogether) {
    const SyntheticSource source;
    const ModelSpec base = find_model("resnet20-cifar");
    EXPECT_THROW(StageContext(base, source, {}, capacity_gain(find_model("resnet18"))), InputError);
    ScalingSettings settings;
    settings.max_budget = 0.05;
    EXPECT_THROW(StageContext(base, source, settings, capacity_gain(base)), InputError);
    settings = {};
    settings.caps.params = 0;
    EXPECT_THROW(StageContext(base, source, settings, capacity_gain(base)), InputError);
    for (const std::vector<std::vector<double>>& scores : std::vector<std::vector<std::vector<double>>>{
             {{1.0}}, {{1.0}, {}, {}}, {{}, {}, std::vector(64, -1.0)}}) {
        settings = {};
        settings.l1_scores = ChannelScores{scores};
        EXPECT_THROW(StageContext(base, source, settings, capacity_gain(base)), InputError);
    }
    settings = {};
    settings.space.resolutions = {36};
    Gain gain = capacity_gain(base);
    gain.resolution.reset();
    EXPECT_THROW(StageContext(base, source, settings, gain), InputError);
    EXPECT_NO_THROW(StageContext(base, source, {}, gain));
}

}  // namespace
}  // namespace hacscale
