// Tables of earlier schemas: read as they are, upgraded when they are written.
#include "profiler/table/check.hpp"
#include "profiler/table/detail/schema.hpp"
#include "profiler/table/diff.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/merge.hpp"
#include "tests/profiler/table_support.hpp"

#include <set>
#include <sstream>

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::string text_of(const fs::path& file, const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_open(file.c_str(), &database);
    std::string text;
    const auto add = [](void* sum, int, char** values, char**) {
        *static_cast<std::string*>(sum) += std::string(values[0] == nullptr ? "" : values[0]) + ";";
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), add, &text, nullptr), SQLITE_OK);
    sqlite3_close(database);
    return text;
}

std::vector<Row> old_rows() {
    std::vector<Row> rows{warm_row(conv(8, 8), 1.0), network_row(conv(8, 16), 2.0, 1 << 20),
                          failed_row(conv(8, 24))};
    rows[0].readings.occupancy_achieved = 0.5;
    rows[1].readings.energy_mj = 3.0;
    return rows;
}

class TableUpgrade : public ::testing::TestWithParam<int> {
protected:
    TableUpgrade() { make_old_table(GetParam(), file_, old_rows()); }
    std::string version() const { return text_of(file_, "PRAGMA user_version"); }

    TempFolder folder_;
    fs::path file_ = folder_ / "t.db";
    fs::path fresh_ = folder_ / "fresh.db";
};

TEST_P(TableUpgrade, ReadsAnOldTableAsItIs) {
    { make_table(fresh_, old_rows()); }
    const Table old = Table::open(file_, OpenMode::read);
    const Table fresh = Table::open(fresh_, OpenMode::read);
    EXPECT_EQ(old.query({}), fresh.query({}));
    EXPECT_EQ(old.size(), 3);
    const Row row = old_rows()[1];
    EXPECT_EQ(old.find(row.key), row);
    EXPECT_EQ(old.find_all(row.key.layer, 1, DataType::f32, CacheState::network), std::vector{row});
    int seen = 0;
    old.for_each_of_family(row.key.layer, 1, DataType::f32, CacheState::network, [&](const Row&) { ++seen; });
    EXPECT_EQ(seen, 1);
    EXPECT_TRUE(check_table(file_).sound());
    const TableDiff diff = diff_tables(old, fresh);
    EXPECT_EQ(diff.ratios.size() + diff.without_ratio.size(), 3U);
    std::ostringstream csv;
    write_csv(old, {}, csv);
    EXPECT_NE(csv.str().find("kernel_time_us"), std::string::npos);
    EXPECT_EQ(version(), std::to_string(GetParam()) + ";");
}

TEST_P(TableUpgrade, UpgradesAnOldTableThatIsWritten) {
    std::mt19937 random(1);
    Row added = network_row(conv(8, 32), 4.0, 1 << 20);
    added.readings = random_readings(random);
    added.reference_us = 100.0;
    {
        Table table = Table::open(file_, OpenMode::write);
        table.put(added);
    }
    EXPECT_EQ(version(), std::to_string(detail::schema_version) + ";");
    const Table table = Table::open(file_, OpenMode::read);
    for (const Row& row : old_rows()) EXPECT_EQ(table.find(row.key), row);
    EXPECT_EQ(table.find(added.key), added);
    EXPECT_TRUE(check_table(file_).sound());
    { make_table(fresh_, {}); }
    for (const char* name : {"layer", "measurement", "kernel"}) {
        const std::string columns = "SELECT name FROM pragma_table_info('" + std::string(name) + "')";
        EXPECT_EQ(text_of(file_, columns), text_of(fresh_, columns)) << name;
        EXPECT_NE(text_of(file_, columns), "");
    }
}

// Columns of schema 6 tell layers apart that differ in their operators' forms and parameters.
TEST_P(TableUpgrade, TakesLayersWithParameters) {
    std::vector<LayerSpec> layers(3, conv(8, 16));
    layers[1].activation = layers[2].activation = Activation::leaky_relu;
    layers[1].alpha = 0.01F;
    layers[2].alpha = 0.1F;
    {
        Table table = Table::open(file_, OpenMode::write);
        for (const LayerSpec& layer : layers) table.put(network_row(layer, 4.0, 1 << 20));
    }
    EXPECT_TRUE(check_table(file_).sound());
    merge_tables({file_}, fresh_);
    for (const fs::path& file : {file_, fresh_}) {
        const Table table = Table::open(file, OpenMode::read);
        for (const LayerSpec& layer : layers) {
            std::set<LayerSpec> family;
            table.for_each_of_family(layer, 1, DataType::f32, CacheState::network,
                                     [&](const Row& row) { family.insert(row.key.layer); });
            EXPECT_EQ(family, std::set{layer});
        }
    }
    EXPECT_EQ(text_of(file_, "SELECT DISTINCT mode, inputs, alpha FROM layer ORDER BY id"),
              "plain;plain;plain;");
    EXPECT_EQ(text_of(file_, "SELECT alpha FROM layer WHERE alpha > 0 ORDER BY id"), "0.01;0.1;");
}

// Columns of schema 5 tell a window of two dimensions from the square one of its height.
TEST_P(TableUpgrade, TakesLayersOfTwoDimensions) {
    LayerSpec flat = conv(8, 16);
    flat.window.kernel[1] = 1;
    flat.window.pads[1] = flat.window.pads[3] = 0;
    const Row added = network_row(flat, 4.0, 1 << 20);
    Table::open(file_, OpenMode::write).put(added);
    EXPECT_TRUE(check_table(file_).sound());
    merge_tables({file_}, fresh_);
    for (const fs::path& file : {file_, fresh_}) {
        const Table table = Table::open(file, OpenMode::read);
        EXPECT_EQ(table.find(added.key), added);
        for (const LayerSpec& layer : {flat, conv(8, 16)}) {
            std::vector<LayerSpec> family;
            table.for_each_of_family(layer, 1, DataType::f32, CacheState::network,
                                     [&](const Row& row) { family.push_back(row.key.layer); });
            EXPECT_EQ(family, std::vector{layer});
        }
    }
    EXPECT_EQ(text_of(file_, "SELECT kernel_width FROM layer ORDER BY id"), "3;3;3;1;");
}

TEST_P(TableUpgrade, ReadersKeepReadingWhileItIsUpgraded) {
    const Table reader = Table::open(file_, OpenMode::read);
    const std::vector<Row> before = reader.query({});
    Table writer = Table::open(file_, OpenMode::create, &test_device);
    writer.put(warm_row(conv(8, 40), 5.0));
    EXPECT_EQ(reader.query({}).size(), before.size() + 1);
}

TEST_P(TableUpgrade, MergesOldAndNewTables) {
    std::mt19937 random(2);
    Row better = old_rows()[0];
    better.samples *= 2;
    better.readings = random_readings(random);
    better.reference_us = 100.0;
    { make_table(fresh_, {better}); }
    for (const auto& inputs : {std::vector{file_, fresh_}, std::vector{fresh_, file_}}) {
        const fs::path merged = folder_ / "merged.db";
        merge_tables(inputs, merged);
        const Table table = Table::open(merged, OpenMode::read);
        EXPECT_EQ(table.size(), 3);
        EXPECT_EQ(table.find(better.key), better);
        EXPECT_TRUE(check_table(merged).sound());
        fs::remove(merged);
    }
    MergeOptions append;
    append.append = true;
    merge_tables({fresh_}, file_, append);
    EXPECT_EQ(version(), std::to_string(detail::schema_version) + ";");
    EXPECT_EQ(Table::open(file_, OpenMode::read).find(better.key), better);
}

TEST_P(TableUpgrade, ReadsAnOldTableWhereNothingCanBeWritten) {
    fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(Table::open(file_, OpenMode::read).size(), 3);
    fs::permissions(folder_.path(), fs::perms::owner_all);
}

// Of schemas 2 and 3: a row whose counters were divided by the wrong time, or taken from two passes.
class RetiredReadings : public ::testing::TestWithParam<int> {
protected:
    RetiredReadings() {
        row_.readings.sm_busy = 0.021;
        row_.readings.sm_throughput = 0.01;
        row_.readings.l2_hit_rate = 0.8;
        row_.readings.tensor_active = 0.3;
        row_.readings.reasons["dram_bytes"] = "no \"privilege\"";
        row_.readings.kernels = {{"conv", {12, 3, 1}, {128, 1, 1}, 40, 1024, 49152, 7.25}};
        partial_.readings.sm_busy = 0.1;
        partial_.readings.reasons["l2_hit_rate"] = "came out above 100 %";
        make_old_table(GetParam(), file_, {row_, partial_, warm_row(conv(8, 24), 2.0)});
    }
    void expect_retired(const Table& table) {
        const Readings read = table.find(row_.key)->readings;
        EXPECT_FALSE(read.sm_busy);
        EXPECT_FALSE(read.sm_throughput);
        EXPECT_FALSE(read.l2_hit_rate);
        EXPECT_EQ(read.tensor_active, 0.3);
        EXPECT_EQ(read.kernels, row_.readings.kernels) << "no cluster is known";
        EXPECT_NE(read.reasons.at("sm_busy").find("time from launch to wait"), std::string::npos);
        EXPECT_NE(read.reasons.at("sm_throughput").find("time from launch to wait"), std::string::npos);
        EXPECT_NE(read.reasons.at("l2_hit_rate").find("one pass"), std::string::npos);
        EXPECT_EQ(read.reasons.at("dram_bytes"), "no \"privilege\"");
        EXPECT_EQ(read.reasons.size(), 4U);
        const Readings partial = table.find(partial_.key)->readings;
        EXPECT_EQ(partial.reasons.size(), 2U);
        EXPECT_EQ(partial.reasons.at("l2_hit_rate"), "came out above 100 %");
        EXPECT_FALSE(partial.sm_busy);
        EXPECT_TRUE(table.find(warm_row(conv(8, 24), 2.0).key)->readings.reasons.empty());
    }

    TempFolder folder_;
    fs::path file_ = folder_ / "t.db";
    Row row_ = warm_row(conv(8, 8), 1.0);
    Row partial_ = warm_row(conv(8, 16), 1.0);
};

TEST_P(RetiredReadings, AreAbsentWithTheirReason) {
    expect_retired(Table::open(file_, OpenMode::read));
    std::ostringstream csv;
    write_csv(Table::open(file_, OpenMode::read), {}, csv);
    EXPECT_EQ(csv.str().find("0.021"), std::string::npos);
    EXPECT_NE(csv.str().find("time from launch to wait"), std::string::npos);
}

TEST_P(RetiredReadings, StayAbsentOnceTheTableIsUpgraded) {
    { const Table upgraded = Table::open(file_, OpenMode::write); }
    expect_retired(Table::open(file_, OpenMode::read));
    EXPECT_EQ(text_of(file_, "SELECT count(*) FROM measurement WHERE sm_busy IS NOT NULL"), "0;");
    EXPECT_TRUE(check_table(file_).sound());
}

TEST_P(RetiredReadings, StayAbsentInAMergedTable) {
    merge_tables({file_}, folder_ / "merged.db");
    expect_retired(Table::open(folder_ / "merged.db", OpenMode::read));
}

TEST_P(RetiredReadings, LeaveDamagedReasonsForTheCheck) {
    tamper(file_, "UPDATE measurement SET missing_reasons = '{broken'");
    EXPECT_FALSE(check_table(file_).sound());
    { const Table upgraded = Table::open(file_, OpenMode::write); }
    EXPECT_FALSE(check_table(file_).sound());
}

// The tables that come with the program have counters of the earlier kind; `zoo` has none.
TEST(ShippedGpuTables, OpenMergeAndDiffWithTheReason) {
    const fs::path results = fs::path(HACSCALE_SOURCE_DIR) / "results/nvidia-h200";
    for (const char* name : {"zoo", "paper-budgets-gpu-inner"}) {
        SCOPED_TRACE(name);
        TempFolder folder;
        const fs::path copy = folder / "t.db";
        fs::copy_file(results / name / "table.db", copy);
        const Table table = Table::open(copy, OpenMode::read);
        const std::vector<Row> rows = table.query({});
        ASSERT_FALSE(rows.empty());
        for (const Row& row : rows) {
            EXPECT_FALSE(row.readings.sm_busy);
            EXPECT_FALSE(row.readings.l2_hit_rate);
            const bool counted = row.readings.tensor_active.has_value();
            EXPECT_EQ(row.readings.reasons.contains("sm_busy"), counted);
            EXPECT_EQ(row.readings.reasons.contains("l2_hit_rate"), counted);
        }
        merge_tables({copy}, folder / "merged.db");
        const TableDiff diff = diff_tables(table, Table::open(folder / "merged.db", OpenMode::read));
        EXPECT_EQ(diff.ratios.size() + diff.without_ratio.size(), rows.size());
        EXPECT_TRUE(check_table(folder / "merged.db").sound());
    }
}

INSTANTIATE_TEST_SUITE_P(Schemas, RetiredReadings, ::testing::Values(2, 3));
INSTANTIATE_TEST_SUITE_P(Schemas, TableUpgrade, ::testing::Values(1, 2, 3, 4, 5));

}  // namespace
}  // namespace hacscale
