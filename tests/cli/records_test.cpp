#include <gmock/gmock.h>

#include "base/error.hpp"
#include "cli/printing/comparison_text.hpp"
#include "program_fixture.hpp"
#include "records/comparison.hpp"
#include "records/provenance.hpp"
#include "records/record_file.hpp"
#include "records/verification.hpp"
#include "report/report.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

using RecordsTest = ProgramTest;

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
    std::ostringstream text;
    print_comparison(text, record);
    EXPECT_THAT(text.str(), ::testing::AllOf(HasSubstr("inner widths"), HasSubstr("-,24/40x2")));
}

TEST(Records, AComparisonIsReadBackAsItWasWritten) {
    ComparisonRecord record = sample_comparison();
    EXPECT_FALSE(comparison_from_json(to_json(record))->made_from);
    record.base.accuracy = AccuracyFigures{90.5, 0.25, 3};
    record.strategies[0].accuracy = AccuracyFigures{91.0, std::nullopt, 1};
    record.strategies[0].choice = ScalingChoice{{16, 32}, {2, 3}, 32, {{}, {24, 40, 40}}};
    record.accuracies = AccuracyOrigin{"r.db", "short", "abc", "def"};
    record.measured_at = "2026-01-31T12:00:00Z";
    record.made_from = MadeFrom{"1.2.3", "aaaa", "bbbb", 0.1};
    const std::string text = to_json(record);
    const std::optional<ComparisonRecord> read = comparison_from_json(text);
    ASSERT_TRUE(read);
    EXPECT_EQ(to_json(*read), text);
    EXPECT_EQ(read->strategies[0].choice, record.strategies[0].choice);
    EXPECT_EQ(read->made_from, record.made_from);
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
    const std::optional<ComparisonRecord> older = comparison_from_json(json.dump());
    ASSERT_TRUE(older);
    EXPECT_EQ(older->base.upper.samples, 0);
    EXPECT_EQ(older->base.upper.p95, std::nullopt);
}

TEST(Records, WhatIsNoComparisonIsNotReadAsOne) {
    const std::string text = to_json(sample_comparison());
    auto unknown = nlohmann::json::parse(text);
    unknown["base"]["status"] = "splendid";
    auto older = nlohmann::json::parse(text);
    older["base"].erase("noisy");
    for (const std::string& other : {std::string(), std::string("[]"), std::string("{}"),
                                     text.substr(0, text.size() / 2), unknown.dump(), older.dump()}) {
        EXPECT_FALSE(comparison_from_json(other)) << other.substr(0, 80);
    }
}

VerificationReport sample_verification() {
    return {"cpu",
            {{{"resnet18", "abc", 1, DataType::f32, CacheState::network, 103.0, 100.0, 0.5, "now"}, "zoo"}},
            {{"vgg16-bn", "the device has no memory for it"}}};
}

TEST(Records, VerificationSaysTheError) {
    const auto json = nlohmann::json::parse(to_json(sample_verification()));
    EXPECT_EQ(json["device"], "cpu");
    EXPECT_NEAR(json["models"][0]["error_pct"].get<double>(), 3.0, 1e-9);
    EXPECT_EQ(json["models"][0]["role"], "zoo");
    EXPECT_NEAR(json["models"][0]["images_per_s"].get<double>(), 1e4, 1e-6);
    EXPECT_TRUE(json["models"][0].contains("p95_us"));
    EXPECT_EQ(json["skipped"][0]["model"], "vgg16-bn");
}

TEST_F(RecordsTest, TheReportReadsWhatIsWritten) {
    Provenance provenance;
    provenance.command = "hacscale run s.yaml";
    provenance.suite = "s";
    provenance.started_at = timestamp();
    provenance.finished_at = timestamp();
    provenance.device = {"cpu", "A test's processor", "0123456789abcdef", "{\"cores\":2}"};
    provenance.warnings = {"noisy host"};
    make_record_folder(path("run"));
    write_record(path("run/provenance.json"), to_json(provenance));
    write_record(path("run/verify.json"), to_json(sample_verification()));
    const ComparisonRecord comparison = sample_comparison();
    write_record(path("run/" + comparison_file_name(comparison.model, comparison.budget)),
                 to_json(comparison));

    const ReportData data = load_report(path("run"));
    EXPECT_EQ(data.provenance.device.name, "A test's processor");
    ASSERT_EQ(data.comparisons.size(), 1U);
    EXPECT_EQ(data.comparisons[0].strategies.size(), 2U);
    EXPECT_EQ(data.verified->size(), 1U);

    const Answer answer = call({"report", path("run"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    for (const std::string& file : answer.json()["files"].get<std::vector<std::string>>()) {
        EXPECT_TRUE(std::filesystem::exists(file)) << file;
    }
}

TEST_F(RecordsTest, AFolderWithoutRecordsIsBadInput) {
    const Answer answer = call({"report", path("none")});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("none"));
}

TEST_F(RecordsTest, WritingReplacesAsAWhole) {
    write_record(path("r.json"), "old");
    write_record(path("r.json"), "new");
    std::ifstream stream(path("r.json"));
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(stream), {}), "new");
    EXPECT_FALSE(std::filesystem::exists(path("r.json.part")));
}

TEST_F(RecordsTest, WhatCannotBeWrittenIsNamed) {
    const std::string file = write("file", "");
    EXPECT_THROW(write_record(file + "/r.json", "text"), WorkError);
    EXPECT_THROW(make_record_folder(file + "/folder"), WorkError);
    EXPECT_THROW(make_record_folder(file), WorkError);
}

TEST(Records, FileNamesHoldModelAndBudget) {
    EXPECT_EQ(comparison_file_name("resnet18", 1.0), "compare-resnet18-1.json");
    EXPECT_EQ(comparison_file_name("some/where/mine.yaml", 1.065), "compare-mine-1.065.json");
    EXPECT_EQ(comparison_file_name("mobilenetv2-0.35", 1.5), "compare-mobilenetv2-0.35-1.5.json");
}

TEST(Records, TimestampsAreUtc) {
    EXPECT_THAT(timestamp(), ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

}  // namespace
}  // namespace hacscale::cli
