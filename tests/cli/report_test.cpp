// `report` with several sources: folders of records, tables, and what it refuses.
#include <gmock/gmock.h>

#include "profiler/table/table.hpp"
#include "program_fixture.hpp"
#include "records/comparison.hpp"
#include "records/provenance.hpp"
#include "records/record_file.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class ReportTest : public ProgramTest {
protected:
    // A table of one layer, on a device of that name.
    std::string write_table(const std::string& name, const std::string& device, double latency_us,
                            const std::string& layer = "conv_i16x32x32_o16_k3_s1_p1_g1_bias_relu") {
        const DeviceRecord record{"cpu", device, device, R"({"cores":2,"onednn":"3.1"})"};
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        Table table = Table::open(path(name), OpenMode::create, &record);
        Row row;
        row.key.layer = LayerSpec::from_key(layer);
        row.key.cache = CacheState::warm;
        row.latency_us = latency_us;
        row.ci95_us = 0.01 * latency_us;
        row.samples = 100;
        row.measured_at = "2026-01-01T00:00:00Z";
        table.put(row);
        return path(name);
    }

    // A folder of records with one verified network.
    std::string write_run(const std::string& name, const std::string& model, double measured_us) {
        std::filesystem::create_directories(path(name));
        write(name + "/provenance.json",
              nlohmann::json{
                  {"program", "hacscale"},
                  {"version", "1"},
                  {"command", "hacscale run s.yaml"},
                  {"device",
                   {{"id", "cpu"}, {"name", name}, {"fingerprint", name}, {"properties", {{"cores", 2}}}}},
                  {"settings", {{"batch", 1}}}}
                  .dump());
        write(name + "/verify.json", nlohmann::json{{"models",
                                                     {{{"model", model},
                                                       {"batch", 1},
                                                       {"dtype", "f32"},
                                                       {"predicted_us", 100.0},
                                                       {"measured_us", measured_us},
                                                       {"ci95_us", 1.0}}}}}
                                         .dump());
        return path(name);
    }

    std::string text_of(const std::string& file) const {
        std::stringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }
};

TEST_F(ReportTest, TwoTablesStandSideBySide) {
    const std::string a = write_table("a.db", "Old", 100.0);
    const std::string b = write_table("b.db", "New", 80.0);
    const Answer answer = call({"report", a, b, "--out", path("both"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["folder"], path("both"));
    const nlohmann::json rows =
        nlohmann::json::parse(text_of(path("both/side-by-side.json")))["tables"]["row_ratios"];
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_NEAR(rows[0]["ratio"].get<double>(), 0.8, 1e-12);
    EXPECT_GT(rows[0]["ratio_high"].get<double>(), 0.81);
}

TEST_F(ReportTest, AFolderTakesTheRowsOfTheTableBesideItsRecords) {
    const std::string a = write_run("a", "net", 100.0);
    const std::string b = write_run("b", "net", 50.0);
    write_table("a/table.db", "Old", 100.0);
    write_table("b/table.db", "New", 80.0);
    const Answer answer = call({"report", a, b, "--out", path("both")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("side-by-side.html"));
    const std::string markdown = text_of(path("both/side-by-side.md"));
    EXPECT_THAT(markdown, HasSubstr("×0.500"));
    EXPECT_THAT(markdown, HasSubstr("×0.800"));
}

TEST_F(ReportTest, OneRunTakesTheRowsOfItsTableToo) {
    const std::string run = write_run("run", "net", 100.0);
    write_table("run/table.db", "Here", 100.0);
    const Answer answer = call({"report", run});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(text_of(path("run/report.md")), HasSubstr("1 rows measured: 1 ok"));
}

TEST_F(ReportTest, OneFolderOfSeveralRunsSetsThemSideBySide) {
    write_run("run/cpu", "net", 100.0);
    write_run("run/cuda-0", "net", 10.0);
    const Answer answer = call({"report", path("run")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_TRUE(std::filesystem::exists(path("run/side-by-side.html")));
}

TEST_F(ReportTest, OneRunCanBeWrittenElsewhere) {
    const Answer answer = call({"report", write_run("run", "net", 100.0), "--out", path("elsewhere")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_TRUE(std::filesystem::exists(path("elsewhere/report.html")));
    EXPECT_FALSE(std::filesystem::exists(path("run/report.html")));
}

TEST_F(ReportTest, ReadsWhatARunWrites) {
    records::Provenance provenance;
    provenance.version = "1";
    provenance.command = "hacscale run s.yaml";
    provenance.device = {"cpu", "A test's processor", "0123456789abcdef", "{\"cores\":2}"};
    provenance.warnings = {"noisy host"};
    records::make_record_folder(path("run"));
    records::write_record(path("run/provenance.json"), to_json(provenance));
    records::ComparisonRecord comparison;
    comparison.model = "resnet20-cifar";
    comparison.base.strategy = "base";
    comparison.base.predicted_us = 100.0;
    records::write_record(path("run/" + records::comparison_file_name(comparison.model, comparison.budget)),
                          to_json(comparison));
    const Answer answer = call({"report", path("run"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    for (const std::string& file : answer.json()["files"].get<std::vector<std::string>>()) {
        EXPECT_TRUE(std::filesystem::exists(file)) << file;
    }
}

TEST_F(ReportTest, WhatCannotBeSetSideBySideIsBadInput) {
    const std::string one = write_run("one", "net", 100.0);
    const std::string other = write_run("other", "another net", 100.0);
    const auto refused = [](const std::vector<std::string>& arguments, const std::string& why) {
        const Answer answer = call(arguments);
        EXPECT_EQ(answer.status, 2) << why;
        EXPECT_THAT(answer.err, HasSubstr(why));
    };
    refused({"report", one, other}, "share neither a network nor a row");
    refused({"report", one, one}, "named twice");
    refused({"report", one, path("none")}, "none");
    refused({"report", write_table("a.db", "Old", 1.0)}, "a second table");
    std::filesystem::create_directories(path("empty"));
    refused({"report", one, path("empty")}, "provenance.json");
}

}  // namespace
}  // namespace hacscale::cli
