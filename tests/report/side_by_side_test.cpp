// Several runs on one page: what is set beside what, what is refused, and that texts from files stay texts.
#include "report/side_by_side/side_by_side.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "report/report.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

records::RunRecords sample_run(const SampleOptions& options = {}) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), options);
    return records::load_records(folder.path());
}

Runs two_devices() {
    return {sample_run(), sample_run({.device = "Another CPU", .slowness = 1.5})};
}

const Cell& cell_at(const Table& table, std::size_t row, const std::string& column) {
    std::size_t i = 0;
    while (table.columns.at(i).csv_name != column) ++i;
    return table.rows.at(row).cells.at(i);
}

const Table& table_in(const Section& section) {
    for (const Part& part : section.parts) {
        if (const Table* table = table_of(part)) return *table;
    }
    throw std::logic_error(section.heading + " has a table");
}

TEST(SideBySide, NetworksStandWithTheirRatioAndItsInterval) {
    const Section section = networks_section(two_devices());
    const Table& table = table_in(section);
    ASSERT_EQ(table.rows.size(), 9u) << "those compared, and those verified alone";
    std::size_t row = 0;
    while (cell_at(table, row, "model").text != "resnet20-cifar") ++row;
    EXPECT_DOUBLE_EQ(std::get<double>(cell_at(table, row, "a_us").value), 2468.0);
    EXPECT_DOUBLE_EQ(std::get<double>(cell_at(table, row, "b_us").value), 3702.0);
    EXPECT_DOUBLE_EQ(std::get<double>(cell_at(table, row, "b_over_a").value), 1.5);
    const double low = std::get<double>(cell_at(table, row, "b_over_a_low").value);
    const double half_width = std::hypot(14.2 / 2468.0, 14.2 / 3702.0);
    EXPECT_NEAR(low, 1.5 * std::exp(-half_width), 1e-9);
    EXPECT_THAT(cell_at(table, row, "b_over_a").text, HasSubstr("×1.50 (1.49 to 1.51)"));
}

TEST(SideBySide, RowsOfBothTablesStandByTheirLargestRatio) {
    Runs runs = two_devices();
    runs[1].rows->at(7).latency_us = 9000.0;
    runs[1].rows->at(3).layer = "a layer that A lacks";
    const std::vector<LayerRatio> ratios = row_ratios(runs[0], runs[1]);
    EXPECT_EQ(ratios.size(), 28u) << "one has no latency, one no partner";
    EXPECT_EQ(ratios.front().name, runs[0].rows->at(7).layer);
    EXPECT_TRUE(ratios.front().significant);
    for (std::size_t i = 1; i < ratios.size(); ++i) {
        EXPECT_LE(std::abs(std::log(ratios[i].ratio)), std::abs(std::log(ratios[i - 1].ratio)) + 1e-12);
    }
    runs[1].rows->at(7).batch = 8;
    EXPECT_NE(row_ratios(runs[0], runs[1]).front().b_us, 9000.0) << "another batch is another row";
}

TEST(SideBySide, LayersTakeTheirIntervalsFromTheRowsTheyWereReadFrom) {
    Runs runs{sample_run({.models = {"one"}}), sample_run({.models = {"one"}, .slowness = 1.5})};
    records::LayerRow& layer = runs[0].comparisons[0].layers[1];
    records::LayerRow& other = runs[1].comparisons[0].layers[1];
    ASSERT_EQ(layer.name, other.name);
    runs[0].rows->push_back(records::MeasuredRow{.layer = layer.key,
                                                 .cache = "network",
                                                 .dtype = "f32",
                                                 .batch = 1,
                                                 .footprint_bytes = 0,
                                                 .status = "ok",
                                                 .reason = "",
                                                 .latency_us = layer.latency_us(),
                                                 .ci95_us = 0.3,
                                                 .occupancy_theoretical = {},
                                                 .occupancy_achieved = {}});
    records::MeasuredRow beside = runs[0].rows->back();
    beside.latency_us = other.latency_us();
    runs[1].rows->push_back(beside);
    int certain = 0;
    for (const LayerRatio& ratio : layer_ratios(runs[0], runs[1])) {
        if (!ratio.certain) continue;
        ++certain;
        EXPECT_EQ(ratio.name, layer.name);
        EXPECT_NEAR(ratio.ratio, 1.5, 1e-9);
        EXPECT_LT(ratio.ratio_low, 1.5);
    }
    EXPECT_EQ(certain, 1);
}

TEST(SideBySide, EveryChoiceIsRelativeToTheBaseOnItsOwnDevice) {
    const Section section = choices_section(two_devices());
    const Table& table = table_in(section);
    ASSERT_EQ(table.rows.size(), 2 * 4u);
    EXPECT_EQ(cell_at(table, 0, "run").text, "A");
    EXPECT_EQ(cell_at(table, 1, "run").text, "B");
    EXPECT_EQ(cell_at(table, 0, "latency_ratio").text, cell_at(table, 1, "latency_ratio").text);
    EXPECT_EQ(cell_at(table, 0, "depths").text, "3 / 3 / 5");
}

TEST(SideBySide, RunsAreNamedByWhatTellsThemApart) {
    Runs runs{sample_run(), sample_run()};
    runs[1].provenance.device.properties =
        R"({"cores":2,"onednn":"3.1","isa":"AVX-512","caches":{"l2":1048576}})";
    EXPECT_EQ(names_of(runs)[0], "Synthetic CPU, onednn 2.6.3");
    EXPECT_EQ(names_of(runs)[1], "Synthetic CPU, onednn 3.1");
    runs[1].provenance.settings.batch = 8;
    const Section section = runs_section(runs);
    EXPECT_THAT(std::get<Notice>(section.parts.front()).text, HasSubstr("differ in batch (1; 8)"));
}

TEST(SideBySide, TheAnswerSaysHowMuchFaster) {
    const Document document = build_side_by_side(two_devices());
    EXPECT_THAT(document.answers[0].sentence, HasSubstr("B takes ×1.50 the latency of A"));
    EXPECT_THAT(document.answers[0].standing, HasSubstr("×1.95 on A, ×1.95 on B"));
    EXPECT_THAT(document.warnings.at(0).text, HasSubstr("A: "));
}

TEST(SideBySide, RunsThatShareNothingAreRefusedInOneSentence) {
    const SampleOptions one{.models = {"one"}, .with_verify = false, .with_table = false};
    const SampleOptions other{.models = {"other"}, .with_verify = false, .with_table = false};
    Runs runs{sample_run(one), sample_run(other)};
    try {
        check_shared(runs);
        FAIL() << "they share nothing";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr(runs[0].folder.string()));
        EXPECT_THAT(error.what(), HasSubstr(runs[1].folder.string()));
        EXPECT_THAT(error.what(), HasSubstr("one suite"));
    }
    EXPECT_THROW(check_shared({sample_run()}), InputError);
    EXPECT_NO_THROW(check_shared({sample_run(one), sample_run(one)}));
}

TEST(SideBySide, WritesEveryFormatAndKeepsMarkupText) {
    const std::string hostile = "</script><script>alert(1)</script><img src=x>";
    testing::TempFolder out;
    const auto files = write_side_by_side(
        {sample_run({.hostile = hostile}), sample_run({.hostile = hostile, .slowness = 2.0})},
        out.path() / "new" / "folder");
    EXPECT_EQ(files.size(), 8u);
    for (const auto& file : files) EXPECT_TRUE(std::filesystem::exists(file)) << file;
    const std::string html = read_text(files.front());
    EXPECT_THAT(html, Not(HasSubstr("<img")));
    EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(html, HasSubstr("&lt;img src=x&gt;"));
}

TEST(SideBySide, AFolderOfSeveralRunsStandsForAllOfThem) {
    testing::TempFolder folder;
    write_sample_records(folder.path() / "cuda-0" / "batch8");
    write_sample_records(folder.path() / "cpu");
    const auto found = records::record_folders(folder.path());
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0], folder.path() / "cpu");
    EXPECT_EQ(found[1], folder.path() / "cuda-0" / "batch8");
    EXPECT_EQ(records::record_folders(folder.path() / "cpu").size(), 1u);
    EXPECT_TRUE(records::record_folders(folder.path() / "none").empty());
}

}  // namespace
}  // namespace hacscale::report
