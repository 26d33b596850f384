#include "profiler/table/export.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using nlohmann::json;

class GoogleBenchmarkExport : public ::testing::Test {
protected:
    json exported(const RowFilter& filter = {}) {
        std::ostringstream out;
        summary_ = write_google_benchmark(table_, filter, out);
        return json::parse(out.str());
    }
    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
    ExportSummary summary_;
};

TEST_F(GoogleBenchmarkExport, HasTheLatencyOfEveryRowThatHasOne) {
    std::mt19937 random(3);
    std::vector<Row> rows;
    for (int i = 0; i < 300; ++i) rows.push_back(random_row(random));
    table_.put(rows);
    std::map<std::string, json> by_name;
    const json document = exported();
    for (const json& benchmark : document["benchmarks"]) {
        EXPECT_TRUE(by_name.emplace(benchmark["name"].get<std::string>(), benchmark).second)
            << "two entries of one name are taken for repetitions: " << benchmark["name"];
    }
    std::size_t without_latency = 0;
    for (const Row& row : table_.query({})) {
        if (!has_latency(row.status)) {
            ++without_latency;
            continue;
        }
        std::string name = row.key.layer.key() + "/" + std::to_string(row.key.batch) + "/" +
                           std::string(name_of(row.key.type)) + "/" + std::string(name_of(row.key.cache));
        if (row.key.cache == CacheState::network) name += "/" + std::to_string(row.key.footprint_bytes);
        ASSERT_TRUE(by_name.contains(name)) << name;
        const json& benchmark = by_name[name];
        EXPECT_EQ(benchmark["real_time"].get<double>(), row.latency_us);
        EXPECT_EQ(benchmark["cpu_time"].get<double>(), row.latency_us);
        EXPECT_EQ(benchmark["time_unit"], "us");
        EXPECT_EQ(benchmark["iterations"], row.samples);
        EXPECT_EQ(benchmark["repetitions"], 1);
        EXPECT_EQ(benchmark["run_name"], name);
        EXPECT_EQ(benchmark["run_type"], "iteration");
        EXPECT_EQ(benchmark["label"], name_of(row.status));
    }
    EXPECT_GT(without_latency, 0U);
    EXPECT_EQ(by_name.size() + without_latency, static_cast<std::size_t>(table_.size()));
    EXPECT_EQ(summary_.rows, table_.size());
    EXPECT_EQ(summary_.written, static_cast<std::int64_t>(by_name.size()));
    EXPECT_EQ(summary_.left_out.at("they have no latency: they are unsupported"),
              static_cast<std::int64_t>(without_latency));
}

TEST_F(GoogleBenchmarkExport, TellsTheDevice) {
    table_.put(warm_row(conv(8, 8), 1.0));
    const json context = exported()["context"];
    EXPECT_EQ(context["json_schema_version"], 1) << "the only one that compare.py takes";
    EXPECT_EQ(context["host_name"], test_device.name);
    EXPECT_EQ(context["date"], "2026-01-01T00:00:00Z");
    EXPECT_EQ(context["fingerprint"], test_device.fingerprint);
    EXPECT_EQ(context["properties"]["cores"], 2);
}

TEST_F(GoogleBenchmarkExport, FiltersAndMayBeEmpty) {
    EXPECT_TRUE(exported()["benchmarks"].empty());
    table_.put(warm_row(conv(8, 8), 1.0));
    table_.put(failed_row(conv(8, 16), "bad \xff byte"));
    EXPECT_EQ(exported()["benchmarks"].size(), 1U);
    EXPECT_TRUE(exported({.batch = 2})["benchmarks"].empty());
}

TEST_F(GoogleBenchmarkExport, SaysThatTheOutputFailed) {
    table_.put(warm_row(conv(8, 8), 1.0));
    std::ofstream full("/dev/full");
    EXPECT_THROW(write_google_benchmark(table_, {}, full), WorkError);
}

}  // namespace
}  // namespace hacscale
