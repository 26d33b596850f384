// What a comparison is written as, and that it is read back as it was written.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.hpp"
#include "records/comparison.hpp"
#include "records/json.hpp"

namespace hacscale::records {
namespace {

ComparisonRecord read_back(const std::string& text) {
    return read_comparison(JsonPlace::parse(text, "compare.json"));
}

ComparisonRecord sample_comparison() {
    ComparisonRecord record;
    record.model = "resnet20-cifar";
    record.device = "cpu";
    record.budget = 1.065;
    record.base.strategy = "base";
    record.base.status = StrategyStatus::ok;
    record.base.predicted_us = 100.0;
    record.base.measured_us = 101.0;
    record.base.upper = {100, 120.0, std::nullopt, "p99 needs more"};
    record.base.latency_ratio = 1.0;
    record.base.params = 1000;
    record.base.macs = 2000;
    record.base.choice = ScalingChoice{{16, 32}, {3, 3}, 32};
    record.base.spec = "name: resnet20-cifar\n";
    StrategyRow row = record.base;
    row.strategy = "hacscale";
    row.status = StrategyStatus::unverified;
    row.measured_us.reset();
    StrategyRow impossible;
    impossible.strategy = "width-only";
    impossible.status = StrategyStatus::infeasible;
    impossible.reason = "no row";
    record.strategies = {row, impossible};
    record.peak = PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, std::nullopt};
    record.front = {{100.0, 0.0, 1000, {{16, 32}, {3, 3}, 32}}};
    record.stages = {"stage1", "stage2"};
    record.layers = {
        {"base", "stem.conv1", "conv_x", "stem", 0, {5.0, EstimateKind::measured}, 10, 20, 0.5, 0.6, "jit"},
        {"base", "stage1.conv", "conv_y", "stage1", 0, {0.0, EstimateKind::missing}, 10, 20, {}, {}, ""}};
    record.staircases = {{0, "stage1", 16, {{16, {5.0, EstimateKind::interpolated}, 0.4, 100}}, 24}};
    return record;
}

TEST(Records, ComparisonHasTheKeysOfTheContract) {
    const auto json = nlohmann::json::parse(to_json(sample_comparison()));
    for (const char* key : {"model", "device", "budget", "base", "strategies", "peak", "front", "stages",
                            "layers", "staircases"}) {
        EXPECT_TRUE(json.contains(key)) << key;
    }
    std::vector<nlohmann::json> rows = json["strategies"];
    rows.push_back(json["base"]);
    for (const auto& row : rows) {
        for (const char* key : {"strategy",
                                "status",
                                "reason",
                                "predicted_us",
                                "measured_us",
                                "ci95_us",
                                "latency_ratio",
                                "latency_ratio_ci95",
                                "memory_bytes",
                                "accuracy_deviation",
                                "accuracy_seeds",
                                "model_hash",
                                "dominates",
                                "equal_to",
                                "utilization",
                                "utilization_ratio",
                                "params",
                                "macs",
                                "gain",
                                "widths",
                                "depths",
                                "resolution",
                                "inner_widths",
                                "accuracy",
                                "spec"}) {
            EXPECT_TRUE(row.contains(key)) << key;
        }
    }
    EXPECT_TRUE(json["strategies"][0]["measured_us"].is_null());
    EXPECT_TRUE(json["base"]["inner_widths"].is_null());
    EXPECT_TRUE(json["layers"][1]["latency_us"].is_null());
    EXPECT_EQ(json["layers"][1]["estimate"], "missing");
}

TEST(Records, InnerWidthsStandStageByStageWhereTheyWereChosen) {
    ComparisonRecord record = sample_comparison();
    record.strategies[0].choice = ScalingChoice{{16, 32}, {2, 3}, 32, {{}, {24, 40, 40}}};
    record.strategies[0].status = StrategyStatus::unverified;
    const auto json = nlohmann::json::parse(to_json(record));
    EXPECT_EQ(json["strategies"][0]["inner_widths"].dump(), "[[],[24,40,40]]");
}

TEST(Records, AComparisonIsReadBackAsItWasWritten) {
    ComparisonRecord record = sample_comparison();
    EXPECT_FALSE(read_back(to_json(record)).input_fingerprint);
    record.base.accuracy = AccuracyFigures{90.5, 0.25, 3};
    record.strategies[0].accuracy = AccuracyFigures{91.0, std::nullopt, 1};
    record.strategies[0].choice = ScalingChoice{{16, 32}, {2, 3}, 32, {{}, {24, 40, 40}}};
    record.accuracies = AccuracyOrigin{"r.db", "short", "abc", "def"};
    record.measured_at = "2026-01-31T12:00:00Z";
    record.input_fingerprint = InputFingerprint{"1.2.3", "aaaa", "bbbb", 0.1};
    const std::string text = to_json(record);
    const ComparisonRecord read = read_back(text);
    EXPECT_EQ(to_json(read), text);
    EXPECT_EQ(read.strategies[0].choice, record.strategies[0].choice);
    EXPECT_EQ(read.input_fingerprint, record.input_fingerprint);
}

TEST(Records, RowsSayImagesASecondAndPercentiles) {
    ComparisonRecord record = sample_comparison();
    record.batch = 8;
    record.strategies[0].upper = {};
    auto json = nlohmann::json::parse(to_json(record));
    EXPECT_NEAR(json["base"]["images_per_s"].get<double>(), 8e6 / 101.0, 1e-6);
    EXPECT_EQ(json["base"]["p95_us"], 120.0);
    EXPECT_TRUE(json["base"]["p99_us"].is_null());
    EXPECT_EQ(json["base"]["passes"], 100);
    EXPECT_EQ(json["base"]["percentiles_reason"], "p99 needs more");
    EXPECT_TRUE(json["strategies"][0]["images_per_s"].is_null());
    // Records of older programs are read, without these figures.
    for (const char* key : {"images_per_s", "p95_us", "p99_us", "passes", "percentiles_reason"}) {
        json["base"].erase(key);
    }
    const ComparisonRecord older = read_back(json.dump());
    EXPECT_EQ(older.base.upper.samples, 0);
    EXPECT_EQ(older.base.upper.p95, std::nullopt);
    EXPECT_EQ(images_per_s(older, older.base), std::nullopt);
}

TEST(Records, StepsOfStagesWithoutNamesAreKept) {
    Json json = Json::parse(to_json(sample_comparison()));
    json["stages"] = Json::array();
    json["contributions"] = {
        {{"spec", "base"},
         {"latency_us", 100.0},
         {"budget_us", 106.5},
         {"params", 1000},
         {"widths", {16}},
         {"depths", {3}},
         {"resolution", 32},
         {"steps",
          {{{"dimension", "width"}, {"stage", 7}, {"base", 16}, {"from", 16}, {"outcome", "fits"}}}}}};
    const Json again = Json::parse(to_json(read_back(json.dump())));
    EXPECT_EQ(again["contributions"][0]["steps"][0]["stage"], 7);
    EXPECT_TRUE(again["contributions"][0]["steps"][0]["name"].is_null());
}

TEST(Records, WhatIsNoComparisonIsNotReadAsOne) {
    const std::string text = to_json(sample_comparison());
    auto unknown = nlohmann::json::parse(text);
    unknown["base"]["status"] = "splendid";
    auto type = nlohmann::json::parse(text);
    type["dtype"] = "f31";
    for (const std::string& other : {std::string(), std::string("[]"), std::string("{}"),
                                     text.substr(0, text.size() / 2), unknown.dump(), type.dump()}) {
        EXPECT_THROW(read_back(other), InputError) << other.substr(0, 80);
        EXPECT_FALSE(unless_unreadable([&] { return read_back(other); }));
    }
}

// A record of random content: every optional figure may be absent, every list empty.
class MadeUp {
public:
    explicit MadeUp(unsigned seed) : random_(seed) {}

    ComparisonRecord comparison() {
        ComparisonRecord record;
        record.model = text();
        record.device = text();
        record.budget = figure();
        record.batch = whole();
        record.type = one_of(all_data_types);
        record.cache = one_of(std::array{CacheState::network, CacheState::warm, CacheState::cold});
        record.gain_origin = text();
        record.gain_bound = figure();
        record.gain_gap = figure();
        record.accuracies = maybe([&] { return AccuracyOrigin{text(), text(), text(), text()}; });
        record.base = row();
        record.strategies = list([&] { return row(); });
        record.peak = maybe([&] {
            return PeakRecord{record.type, figure(), figure(), maybe_figure(), maybe_figure()};
        });
        record.front = list([&] { return FrontPoint{figure(), figure(), maybe_count(), choice()}; });
        std::sort(record.front.begin(), record.front.end(),
                  [](const FrontPoint& a, const FrontPoint& b) { return a.latency_us < b.latency_us; });
        record.stages = {text(), text(), ""};
        record.layers = list([&] { return layer(); });
        record.strategy_layers = list([&] {
            StrategyLayers strategy{{text()}, {}};
            LayerRow only;
            only.name = text();
            only.key = text();
            only.stage = text();
            only.latency = latency();
            strategy.layers = {only};
            return strategy;
        });
        record.staircases = list([&] {
            const int width = whole();
            return StaircaseRow{static_cast<int>(record.staircases.size()),
                                text(),
                                whole(),
                                {{width, latency(), maybe_figure(), maybe_count()},
                                 {width + 8, latency(), maybe_figure(), maybe_count()}},
                                maybe([&] { return whole(); })};
        });
        record.contributions = list([&] { return contributions(); });
        if (coin()) {
            record.measured_at = text();
            record.input_fingerprint = InputFingerprint{text(), text(), text(), figure()};
        }
        return record;
    }

private:
    bool coin() { return random_() % 2 == 0; }
    int whole() { return 1 + static_cast<int>(random_() % 1000); }
    std::int64_t count() { return 1 + static_cast<std::int64_t>(random_()) * 1000003; }
    double figure() {
        return std::ldexp(1.0 + static_cast<double>(random_()), -static_cast<int>(random_() % 40));
    }
    std::string text() { return "text \"" + std::to_string(random_() % 100) + "\" \u00e9\n"; }
    template <typename Values>
    typename Values::value_type one_of(const Values& values) {
        return values[random_() % values.size()];
    }
    template <typename Make>
    auto maybe(Make make) -> std::optional<decltype(make())> {
        return coin() ? std::optional(make()) : std::nullopt;
    }
    template <typename Make>
    auto list(Make make) -> std::vector<decltype(make())> {
        std::vector<decltype(make())> values;
        for (std::size_t i = random_() % 4; i > 0; --i) {
            values.push_back(make());
        }
        return values;
    }
    std::optional<double> maybe_figure() {
        return maybe([&] { return figure(); });
    }
    std::optional<std::int64_t> maybe_count() {
        return maybe([&] { return count(); });
    }

    ScalingChoice choice() {
        ScalingChoice choice{{whole(), whole()}, {whole(), whole()}, whole()};
        if (coin()) {
            choice.inner_widths = {{}, {whole(), whole()}};
        }
        return choice;
    }

    LatencyEstimate latency() {
        const auto kind =
            one_of(std::array{EstimateKind::measured, EstimateKind::interpolated, EstimateKind::missing});
        return {kind == EstimateKind::missing ? 0.0 : figure(), kind};
    }

    StrategyRow row() {
        StrategyRow row;
        row.strategy = text();
        row.status = one_of(std::array{StrategyStatus::ok, StrategyStatus::over_budget, StrategyStatus::noisy,
                                       StrategyStatus::infeasible, StrategyStatus::unverified,
                                       StrategyStatus::failed});
        row.reason = text();
        row.noisy = coin();
        row.predicted_us = maybe_figure();
        row.interpolated_share = maybe_figure();
        row.measured_us = maybe_figure();
        row.ci95_us = maybe_figure();
        row.upper = {whole(), maybe_figure(), maybe_figure(), text()};
        row.latency_ratio = maybe_figure();
        row.latency_ratio_ci95 = maybe_figure();
        row.utilization = maybe_figure();
        row.utilization_ratio = maybe_figure();
        row.params = maybe_count();
        row.macs = maybe_count();
        row.memory_bytes = maybe_count();
        row.gain = maybe_figure();
        row.choice = maybe([&] { return choice(); });
        const auto accuracy = [&] {
            return AccuracyFigures{figure(), maybe_figure(), whole(), list([&] { return figure(); })};
        };
        row.accuracy = maybe(accuracy);
        row.matched_base = maybe(accuracy);
        row.spec = text();
        row.model_hash = text();
        row.dominates = list([&] { return text(); });
        row.equal_to = list([&] { return text(); });
        return row;
    }

    LayerRow layer() {
        LayerRow layer;
        layer.spec = coin() ? "base" : "hacscale";
        layer.name = text();
        layer.key = text();
        layer.stage = text();
        layer.block = whole();
        layer.latency = latency();
        layer.macs = count();
        layer.bytes = count();
        layer.utilization = maybe_figure();
        layer.roofline_efficiency = maybe_figure();
        layer.implementation = text();
        return layer;
    }

    ContributionsRow contributions() {
        ContributionsRow row;
        row.spec = coin() ? "base" : "hacscale";
        row.network.network.choice = choice();
        row.network.network.latency_ps = count();
        row.network.network.gain = maybe_figure();
        row.network.network.usage.params = count();
        row.network.network.usage.macs = count();
        row.network.utilization = maybe_figure();
        row.network.budget_us = figure();
        row.network.steps = list([&] {
            Contribution step;
            step.dimension = one_of(std::array{StepDimension::width, StepDimension::depth,
                                               StepDimension::inner_width, StepDimension::resolution});
            step.stage = maybe([&] { return static_cast<int>(random_() % 3); });
            step.block = maybe([&] { return whole(); });
            step.base = whole();
            step.from = whole();
            step.to = maybe([&] { return whole(); });
            step.estimate = maybe([&] {
                return one_of(
                    std::array{EstimateKind::measured, EstimateKind::interpolated, EstimateKind::missing});
            });
            step.added = maybe([&] {
                return StepFigures{-figure(), figure(), maybe_figure(), -count(),
                                   count(),   figure(), maybe_figure()};
            });
            step.outcome = one_of(std::array{
                StepOutcome::space_end, StepOutcome::invalid, StepOutcome::missing, StepOutcome::no_gain,
                StepOutcome::over_budget, StepOutcome::over_cap, StepOutcome::fits});
            step.reason = text();
            return step;
        });
        return row;
    }

    std::mt19937 random_;
};

TEST(Records, WhatIsWrittenIsReadBackWhateverIsAbsent) {
    for (unsigned seed = 0; seed < 200; ++seed) {
        const ComparisonRecord record = MadeUp(seed).comparison();
        const std::string text = to_json(record);
        const ComparisonRecord read = read_back(text);
        ASSERT_EQ(to_json(read), text) << seed;
        ASSERT_EQ(read.input_fingerprint, record.input_fingerprint);
        ASSERT_EQ(read.base.choice, record.base.choice);
        ASSERT_TRUE(read.judged);
    }
}

}  // namespace
}  // namespace hacscale::records
