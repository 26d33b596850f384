#include "profiler/table/table.hpp"

#include <gmock/gmock.h>

#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class TableTest : public ProgramTest {
protected:
    // A table with `rows` conv layers, the last one noisy and one more that the device cannot run.
    std::string make_table(const std::string& name, int rows, double factor = 1.0) const {
        const DeviceRecord device{"cpu", "A test's processor", "0123456789abcdef", "{\"cores\":2}"};
        Table table = Table::open(path(name), OpenMode::create, &device);
        for (int i = 1; i <= rows; ++i) {
            Row row = make_row(i);
            row.latency_us = 10.0 * i * factor;
            row.ci95_us = 0.01 * i;
            row.samples = 100;
            row.implementation = "jit:test";
            row.status = i == rows ? RowStatus::noisy : RowStatus::ok;
            table.put(row);
        }
        Row refused = make_row(rows + 1);
        refused.status = RowStatus::unsupported;
        refused.reason = "the library has no kernel";
        table.put(refused);
        table.put(PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, std::nullopt});
        return path(name);
    }

private:
    static Row make_row(int i) {
        Row row;
        row.key.layer = LayerSpec::from_key("conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu");
        row.key.layer.out_channels = 8 * i;
        row.key.footprint_bytes = footprint_bucket(1 << 20);
        row.measured_at = "2026-01-01T00:00:00Z";
        return row;
    }
};

TEST_F(TableTest, ShowsWhatItHolds) {
    const std::string file = make_table("t.db", 3);
    const Answer text = call({"table", "show", file});
    EXPECT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("4 rows of A test's processor"));
    EXPECT_THAT(text.out, HasSubstr("100 GFLOP/s"));
    const auto json = call({"table", "show", file, "--json"}).json();
    EXPECT_EQ(json["rows"], 4);
    EXPECT_EQ(json["settings"][0]["ok"], 2);
    EXPECT_EQ(json["settings"][0]["noisy"], 1);
    EXPECT_EQ(json["settings"][0]["unsupported"], 1);
    EXPECT_EQ(json["device"]["properties"]["cores"], 2);
}

TEST_F(TableTest, QueryAnswersByTheContract) {
    const std::string file = make_table("t.db", 3);
    const Answer all = call({"table", "query", file, "--json"});
    ASSERT_EQ(all.status, 0) << all.err;
    ASSERT_EQ(all.json().size(), 4U);
    for (const auto& row : all.json()) {
        for (const char* key :
             {"layer", "batch", "dtype", "cache", "latency_us", "ci95_us", "samples", "status", "reason",
              "utilization", "occupancy_theoretical", "occupancy_achieved"}) {
            EXPECT_TRUE(row.contains(key)) << key;
        }
    }
    EXPECT_EQ(call({"table", "query", file, "--status", "noisy", "--json"}).json().size(), 1U);
    EXPECT_EQ(call({"table", "query", file, "--layer", "o16_", "--json"}).json().size(), 1U);
    EXPECT_EQ(call({"table", "query", file, "--kind", "linear", "--json"}).json().size(), 0U);
    EXPECT_THAT(call({"table", "query", file}).out, HasSubstr("the library has no kernel"));
}

TEST_F(TableTest, QueryShowsOccupancyWhereThereIsAny) {
    const std::string file = make_table("t.db", 2);
    EXPECT_THAT(call({"table", "query", file}).out, ::testing::Not(HasSubstr("occ.")));
    {
        Table table = Table::open(file, OpenMode::write);
        Row row = table.query({}).front();
        row.readings.occupancy_achieved = 0.625;
        table.put(row);
    }
    const std::string out = call({"table", "query", file}).out;
    EXPECT_THAT(out, HasSubstr("occ. achieved %"));
    EXPECT_THAT(out, HasSubstr(" 62.5 "));
    EXPECT_THAT(out, ::testing::Not(HasSubstr("occ. theor. %")));
}

TEST_F(TableTest, QueryListsKernels) {
    const std::string file = make_table("t.db", 2);
    EXPECT_TRUE(call({"table", "query", file, "--kernels", "--json"}).json().empty());
    {
        Table table = Table::open(file, OpenMode::write);
        Row row = table.query({}).front();
        row.readings.kernels = {
            {"void first<float>()", {12, 3, 1}, {128, 1, 1}, 40, 1024, 49152, 7.25, {2, 4, 1}, 16},
            {"second", {1, 1, 1}, {32, 1, 1}, 16, 0, 0, 1.5}};
        table.put(row);
    }
    const Answer text = call({"table", "query", file, "--kernels"});
    EXPECT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("12x3x1"));
    EXPECT_THAT(text.out, HasSubstr("2x4x1"));
    EXPECT_THAT(text.out, HasSubstr("void first<float>()"));
    const auto json = call({"table", "query", file, "--kernels", "--json"}).json();
    ASSERT_EQ(json.size(), 2U);
    EXPECT_EQ(json[0]["duration_us"], 7.25);
    EXPECT_EQ(json[0]["dynamic_shared_bytes"], 49152);
    EXPECT_EQ(json[0]["cluster"][1], 4);
    EXPECT_EQ(json[0]["max_active_clusters"], 16);
    EXPECT_EQ(json[1]["position"], 1);
    EXPECT_EQ(json[1]["block"][0], 32);
    EXPECT_TRUE(
        call({"table", "query", file, "--kernels", "--status", "unsupported", "--json"}).json().empty());
}

TEST_F(TableTest, FiltersThatAreNotKnownAreBadInput) {
    const std::string file = make_table("t.db", 1);
    for (const char* option : {"--kind", "--dtype", "--cache", "--status", "--batch"}) {
        const Answer answer = call({"table", "query", file, option, "xyz"});
        EXPECT_EQ(answer.status, 2) << option;
        EXPECT_THAT(answer.err, HasSubstr("xyz")) << option;
    }
}

TEST_F(TableTest, MergesAndRefusesToOverwrite) {
    const std::string a = make_table("a.db", 2);
    const std::string b = make_table("b.db", 2);
    const Answer merged = call({"table", "merge", a, b, "--out", path("c.db"), "--json"});
    ASSERT_EQ(merged.status, 0) << merged.err;
    EXPECT_EQ(merged.json()["rows"], 3);
    EXPECT_EQ(call({"table", "merge", a, b, "--out", path("c.db")}).status, 2);
    EXPECT_EQ(call({"table", "merge", a, b, "--out", path("c.db"), "--append"}).status, 0);
}

TEST_F(TableTest, DiffFindsWhatChanged) {
    const std::string a = make_table("a.db", 3);
    const std::string b = make_table("b.db", 3, 1.5);
    const auto json = call({"table", "diff", a, b, "--json"}).json();
    ASSERT_EQ(json["rows"].size(), 3U);
    EXPECT_NEAR(json["rows"][0]["ratio"].get<double>(), 1.5, 1e-9);
    EXPECT_EQ(json["significantly_slower"], 3);
    const Answer text = call({"table", "diff", a, b, "--limit", "1"});
    EXPECT_THAT(text.out, HasSubstr("and 2 more"));
    EXPECT_TRUE(call({"table", "diff", a, a, "--json"}).json()["rows"].empty()) << "all within noise";
    EXPECT_EQ(call({"table", "diff", a, a, "--all", "--json"}).json()["rows"].size(), 3U);
}

TEST_F(TableTest, DiffIsAGateAgainstRegressions) {
    const std::string a = make_table("a.db", 3);
    const std::string b = make_table("b.db", 3, 1.1);
    EXPECT_EQ(call({"table", "diff", a, b}).status, 0) << "no gate was asked for";
    const Answer slower = call({"table", "diff", a, b, "--slower-than", "5", "--json"});
    EXPECT_EQ(slower.status, 4);
    EXPECT_EQ(slower.json()["slower_than_allowed"].size(), 3U);
    EXPECT_THAT(slower.err, HasSubstr("slower in b by more than 5 %"));
    EXPECT_EQ(call({"table", "diff", b, a, "--slower-than", "5"}).status, 0) << "faster";
    EXPECT_EQ(call({"table", "diff", a, b, "--slower-than", "10"}).status, 0) << "not beyond noise";
    EXPECT_EQ(call({"table", "diff", a, b, "--slower-than", "-1"}).status, 2);
    EXPECT_EQ(call({"table", "diff", a, path("none.db")}).status, 2);
}

TEST_F(TableTest, ExportsCsvAndJson) {
    const std::string file = make_table("t.db", 2);
    const Answer csv = call({"table", "export", file});
    EXPECT_EQ(csv.status, 0);
    EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 4);
    EXPECT_THAT(csv.out, HasSubstr("latency_us"));
    EXPECT_EQ(call({"table", "export", file, "--format", "json"}).json(),
              call({"table", "query", file, "--json"}).json());
    EXPECT_EQ(call({"table", "export", file, "--format", "xml"}).status, 2);
}

TEST_F(TableTest, ExportsForOtherTools) {
    const std::string file = make_table("t.db", 2);
    const Answer benchmarks = call({"table", "export", file, "--format", "google-benchmark"});
    ASSERT_EQ(benchmarks.status, 0) << benchmarks.err;
    EXPECT_EQ(benchmarks.json()["benchmarks"].size(), 2U);
    EXPECT_EQ(benchmarks.json()["benchmarks"][0]["real_time"], 20.0);
    EXPECT_THAT(benchmarks.err, HasSubstr("2 of 3 rows are in 2 entries"));
    EXPECT_THAT(benchmarks.err, HasSubstr("1 row is left out: they have no latency"));
    EXPECT_EQ(call({"table", "export", file, "--format", "google-benchmark", "--json"}).out, benchmarks.out);

    const Answer words = call({"table", "export", file, "--format", "ofa"});
    ASSERT_EQ(words.status, 0) << words.err;
    EXPECT_THAT(words.out, HasSubstr("milliseconds on A test's processor: batch 1, f32, network"));
    EXPECT_THAT(words.err, HasSubstr("2 rows are left out: once-for-all has no words for a conv"));
    const Answer both = call({"table", "export", file, "--format", "ofa", "--json"});
    EXPECT_EQ(both.status, 2);
    EXPECT_THAT(both.err, HasSubstr("YAML"));
}

TEST_F(TableTest, ExportForOnceForAllAsksForOneState) {
    const std::string file = make_table("t.db", 2);
    Table table = Table::open(file, OpenMode::write);
    Row row = table.query({}).front();
    row.key.batch = 8;
    table.put(row);
    const Answer both = call({"table", "export", file, "--format", "ofa"});
    EXPECT_EQ(both.status, 2);
    EXPECT_THAT(both.err, HasSubstr("--batch"));
    EXPECT_EQ(call({"table", "export", file, "--format", "ofa", "--batch", "8"}).status, 0);
}

TEST_F(TableTest, CheckSaysWhetherRowsAreMissing) {
    const std::string file = make_table("t.db", 2);
    const Answer answer = call({"table", "check", file, "--json"});
    EXPECT_EQ(answer.status, 4) << answer.err;
    EXPECT_EQ(answer.json()["sound"], true);
    EXPECT_EQ(answer.json()["unsupported"], 1);
}

TEST_F(TableTest, WhatIsNoTableIsBadInput) {
    const std::vector<std::string> files{path("none.db"), write("empty.db", ""),
                                         write("text.db", "hello, world\n"),
                                         std::filesystem::temp_directory_path().string()};
    for (const std::string& file : files) {
        for (const char* command : {"show", "query", "export", "check"}) {
            const Answer answer = call({"table", command, file});
            EXPECT_EQ(answer.status, 2) << command << " " << file;
            EXPECT_THAT(answer.err, HasSubstr(file));
        }
    }
}

}  // namespace
}  // namespace hacscale::cli
