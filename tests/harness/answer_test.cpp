#include "harness/compare/answer.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <regex>
#include <string>

#include "base/text/lines.hpp"
#include "fixture.hpp"
#include "harness/compare/compare.hpp"
#include "sample_comparison.hpp"
#include "synthetic_table.hpp"

namespace hacscale::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string joined(const std::vector<std::string>& lines) {
    return std::accumulate(
        lines.begin(), lines.end(), std::string(),
        [](std::string text, const std::string& line) { return std::move(text) + line + "\n"; });
}

std::vector<std::string> answered(const std::vector<records::ComparisonRecord>& records,
                                  const std::string& closing = "report: out/report.html") {
    std::vector<const records::ComparisonRecord*> pointers;
    for (const records::ComparisonRecord& record : records) pointers.push_back(&record);
    return answer_lines(pointers, {{}, {closing}});
}

void expect_fits(const std::vector<std::string>& lines) {
    EXPECT_LE(lines.size(), answer_lines_at_most) << joined(lines);
    for (const std::string& line : lines) EXPECT_LE(width_of(line), answer_columns) << line;
}

TEST(Answer, SaysWhatToDoWhatItBringsAndHowFarToTrustIt) {
    const std::string text = joined(answered({sample()}));
    EXPECT_EQ(text,
              "cpu, batch 1, f32; more capacity (sqrt of params x MACs) is not yet accuracy\n"
              "resnet20-cifar, budget 1 x 545.4 us: stage2: 32 -> 48 channels; stage 3: 64 ->\n"
              "  96 channels, 3 -> 2 blocks\n"
              "  latency -2.8 +- 1.3 %, utilization x1.17 +- 0.02, params x1.37, capacity x1.31\n"
              "  second: hacscale-depths (capacity x1.26); 14 of 17 keep the base\n"
              "keep the base: width-only, depth-only, resolution-only, depth-width, uniform,\n"
              "  compound, fast, width-on-edges, morph, random, greedy, importance-width,\n"
              "  hacscale-widths, hacscale-no-importance\n"
              "table's sums: 2.0 % off in the median of 4 measured networks, 2.0 % at worst\n"
              "interpolated: 12 % of the choice's predicted latency\n"
              "report: out/report.html\n");
}

TEST(Answer, TwoNetworksAtTwoBudgetsFit) {
    const std::vector<std::string> lines =
        answered({sample(), sample("resnet20-cifar", 1.065), sample("mobilenetv2-0.35"),
                  sample("mobilenetv2-0.35", 1.065)});
    expect_fits(lines);
    const std::string text = joined(lines);
    EXPECT_THAT(text, HasSubstr("mobilenetv2-0.35, budget 1.065 x 545.4 us: "));
    EXPECT_THAT(text, HasSubstr("capacity x1.31"));
    EXPECT_EQ(lines.back(), "report: out/report.html");
}

TEST(Answer, WhatToDoIsSaidEvenWhereNotAllFits) {
    std::vector<records::ComparisonRecord> records;
    for (const double budget : {1.0, 1.065, 1.1, 1.2, 1.5}) {
        records::ComparisonRecord record = sample("mobilenetv2-0.35", budget);
        records::StrategyRow& row = record.strategies.back();
        row = larger(row.strategy, 0.3, {{24, 48, 96}, {2, 4, 5}, 32});
        records.push_back(record);
    }
    const std::vector<std::string> lines = answered(records);
    expect_fits(lines);
    const std::string text = std::regex_replace(joined(lines), std::regex("\n  "), " ");
    const std::regex change("channels 16,32,64 -> 24,48,96");
    const auto told = static_cast<std::size_t>(
        std::distance(std::sregex_iterator(text.begin(), text.end(), change), std::sregex_iterator()));
    EXPECT_EQ(told, records.size()) << text;
}

TEST(Answer, ManyComparisonsFitToo) {
    std::vector<records::ComparisonRecord> records;
    for (int i = 0; i < 40; ++i) records.push_back(sample("network" + std::to_string(i)));
    const std::vector<std::string> lines = answered(records);
    expect_fits(lines);
    EXPECT_THAT(joined(lines), HasSubstr("more: --details, or the report\n"));
    EXPECT_EQ(lines.back(), "report: out/report.html");
}

TEST(Answer, SeveralStatesAreNamed) {
    records::ComparisonRecord other = sample();
    other.device = "cuda:0";
    other.batch = 8;
    const std::vector<std::string> lines = answered({sample(), other});
    expect_fits(lines);
    EXPECT_THAT(joined(lines), HasSubstr("(cuda:0, batch 8, f32"));
}

TEST(Answer, WhereNothingIsToBeGainedItIsOneSentence) {
    records::ComparisonRecord record = sample();
    for (records::StrategyRow& row : record.strategies) {
        const std::string name = row.strategy;
        row = base_row();
        row.strategy = name;
    }
    const std::string text = joined(answered({record}));
    EXPECT_THAT(text, HasSubstr("budget 1 x 545.4 us: keep the base: nothing is to be gained"));
    EXPECT_THAT(text, HasSubstr("41 % of the peak"));
    EXPECT_THAT(text, Not(HasSubstr("->")));
    EXPECT_THAT(text, Not(HasSubstr("second")));
    EXPECT_THAT(text, Not(HasSubstr("width-only")));
}

TEST(Answer, OfNoisyRowsNothingIsAdvised) {
    records::ComparisonRecord record = sample();
    for (records::StrategyRow& row : record.strategies) row.status = records::StrategyStatus::noisy;
    const std::string text = joined(answered({record}));
    EXPECT_THAT(text, HasSubstr("nothing can be said"));
    EXPECT_THAT(text, Not(HasSubstr("->")));
}

TEST(Answer, AChoiceFarFromItsPredictionIsSaid) {
    records::ComparisonRecord record = sample();
    records::StrategyRow& row = record.strategies.back();
    row.predicted_us = 715.0;
    row.measured_us = 1031.0;
    const std::string text = joined(answered({record}));
    EXPECT_THAT(text, HasSubstr("but predicted 715.0 us,"));
    EXPECT_THAT(text, HasSubstr("30.6 % at"));
    EXPECT_THAT(text, HasSubstr("(resnet20-cifar hacscale)"));
}

TEST(Answer, ManyChangesAreListsOfWidths) {
    records::ComparisonRecord record = sample();
    const std::vector<int> base_widths(9, 16);
    record.stages.assign(9, "a stage with a long name");
    record.base.choice = ScalingChoice{base_widths, std::vector<int>(9, 2), 32};
    for (records::StrategyRow& row : record.strategies) row.choice = record.base.choice;
    record.strategies.back().choice = ScalingChoice{std::vector<int>(9, 24), std::vector<int>(9, 2), 40};
    const std::vector<std::string> lines = answered({record});
    expect_fits(lines);
    const std::string text = joined(lines);
    EXPECT_THAT(text, HasSubstr("channels 16,16,16,16,16,16,16,16,16"));
    EXPECT_THAT(text, HasSubstr("32 -> 40"));
}

TEST(Answer, UtilizationsAboveOneSayThatThePeakIsWrong) {
    records::ComparisonRecord record = sample();
    EXPECT_FALSE(peak_warning(record));
    record.strategies.back().utilization = 2.82;
    const std::optional<std::string> warning = peak_warning(record);
    ASSERT_TRUE(warning);
    EXPECT_THAT(*warning, HasSubstr("282 %"));
    EXPECT_THAT(*warning, HasSubstr("the peak is measured again by"));
}

TEST(Answer, NoisyRowsBelowThePredictionsAreSaid) {
    records::ComparisonRecord record = sample();
    records::LayerRow quiet;
    quiet.spec = "base";
    quiet.latency.latency_us = 60.0;
    records::LayerRow noisy = quiet;
    noisy.latency.latency_us = 40.0;
    noisy.latency.noisy = true;
    record.layers = {quiet, noisy};
    ASSERT_TRUE(noise_warning(record));
    EXPECT_THAT(*noise_warning(record), HasSubstr("40 % of the base's predicted latency"));
    record.layers[1].latency.latency_us = 0.5;
    EXPECT_FALSE(noise_warning(record)) << "too little of it";
    record.layers[0].spec = record.layers[1].spec = "hacscale";
    EXPECT_FALSE(noise_warning(record));
}

// ---- What makes the rows ----

class AnswerOfTable : public FolderTest {
protected:
    AnswerOfTable() { write_synthetic_table(path("t.db")); }

    records::ComparisonRecord compared(const TimeNetworks& time) const {
        const Table table = Table::open(path("t.db"), OpenMode::read);
        ComparisonSettings settings;
        settings.budget = 1.3;
        return compare(ModelView(table, find_model("resnet20-cifar"), {}), settings, time);
    }
};

TEST_F(AnswerOfTable, RatiosKnownPoorlyAreNoisyAndNotJudged) {
    const TimeNetworks noisy = [](const std::vector<Network>& networks) {
        std::vector<TimedNetwork> timed = synthetic_device(1.0)(networks);
        for (TimedNetwork& one : timed) {
            one.ci95_us = 5.0 * one.latency_us;
            one.converged = false;
        }
        return timed;
    };
    const records::ComparisonRecord record = compared(noisy);
    EXPECT_EQ(record.base.status, records::StrategyStatus::noisy);
    EXPECT_THAT(record.base.dominates, IsEmpty());
    for (const records::StrategyRow& row : record.strategies) {
        EXPECT_EQ(row.status, records::StrategyStatus::noisy) << row.strategy;
        EXPECT_THAT(row.dominates, IsEmpty()) << row.strategy;
        EXPECT_THAT(row.equal_to, IsEmpty()) << row.strategy;
        EXPECT_TRUE(row.noisy) << row.strategy;
    }
    EXPECT_THAT(joined(answered({record})), HasSubstr("nothing can be said"));
}

TEST_F(AnswerOfTable, APredictionThatIsFarOffIsSaidInTheRow) {
    const records::ComparisonRecord record = compared(synthetic_device(1.2));
    int warned = 0;
    for (const records::StrategyRow& row : record.strategies) {
        const std::optional<double> error_pct = prediction_error_pct(row);
        ASSERT_TRUE(error_pct) << row.strategy;
        const bool off = std::abs(*error_pct) > records::prediction_tolerance_pct;
        EXPECT_EQ(off, row.reason.find("more than the tolerance of 10 %") != std::string::npos) << row.reason;
        warned += off ? 1 : 0;
    }
    EXPECT_GT(warned, 0);
    const auto json = nlohmann::json::parse(to_json(record));
    EXPECT_TRUE(json["strategies"].back()["prediction_error_pct"].is_number());
    EXPECT_TRUE(json["strategies"].back()["interpolated_share"].is_number());
}

}  // namespace
}  // namespace hacscale::harness
