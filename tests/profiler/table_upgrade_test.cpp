// Tables of schema 1: read as they are, upgraded when they are written.
#include "profiler/table/check.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/merge.hpp"
#include "tests/profiler/table_support.hpp"

#include <sstream>

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using namespace testing;

// What an earlier version of the program left: no readings but those of schema 1, no kernels.
void write_schema_1(const fs::path& file, const std::vector<Row>& rows) {
    { make_table(file, rows).put(PeakRecord{DataType::f32, 1e12, 1e11, {}, {}}); }
    std::string sql = "DROP TABLE kernel; PRAGMA user_version = 1;";
    for (const char* column : {"kernel_time_us", "tensor_active", "sm_busy", "l2_hit_rate", "dram_bytes",
                               "sm_throughput", "sm_clock_mhz", "memory_clock_mhz", "temperature_c",
                               "power_w", "throttle_reasons", "missing_reasons"}) {
        sql += "ALTER TABLE measurement DROP COLUMN " + std::string(column) + ";";
    }
    tamper(file, sql);
}

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

std::vector<Row> rows_of_schema_1() {
    std::vector<Row> rows{warm_row(conv(8, 8), 1.0), network_row(conv(8, 16), 2.0, 1 << 20),
                          failed_row(conv(8, 24))};
    rows[0].readings.occupancy_achieved = 0.5;
    rows[1].readings.energy_mj = 3.0;
    return rows;
}

class TableUpgrade : public ::testing::Test {
protected:
    TableUpgrade() { write_schema_1(file_, rows_of_schema_1()); }
    std::string version() const { return text_of(file_, "PRAGMA user_version"); }

    TempFolder folder_;
    fs::path file_ = folder_ / "t.db";
    fs::path fresh_ = folder_ / "fresh.db";
};

TEST_F(TableUpgrade, ReadsAnOldTableAsItIs) {
    { make_table(fresh_, rows_of_schema_1()); }
    const Table old = Table::open(file_, OpenMode::read);
    const Table fresh = Table::open(fresh_, OpenMode::read);
    EXPECT_EQ(old.query({}), fresh.query({}));
    EXPECT_EQ(old.size(), 3);
    const Row row = rows_of_schema_1()[1];
    EXPECT_EQ(old.find(row.key), row);
    EXPECT_EQ(old.find_all(row.key.layer, 1, DataType::f32, CacheState::network), std::vector{row});
    int seen = 0;
    old.for_each_of_family(row.key.layer, 1, DataType::f32, CacheState::network, [&](const Row&) { ++seen; });
    EXPECT_EQ(seen, 1);
    EXPECT_TRUE(check_table(file_).sound());
    std::ostringstream csv;
    write_csv(old, {}, csv);
    EXPECT_NE(csv.str().find("kernel_time_us"), std::string::npos);
    EXPECT_EQ(version(), "1;");
}

TEST_F(TableUpgrade, UpgradesAnOldTableThatIsWritten) {
    std::mt19937 random(1);
    Row added = network_row(conv(8, 32), 4.0, 1 << 20);
    added.readings = random_readings(random);
    {
        Table table = Table::open(file_, OpenMode::write);
        table.put(added);
    }
    EXPECT_EQ(version(), "2;");
    const Table table = Table::open(file_, OpenMode::read);
    for (const Row& row : rows_of_schema_1()) EXPECT_EQ(table.find(row.key), row);
    EXPECT_EQ(table.find(added.key), added);
    EXPECT_TRUE(check_table(file_).sound());
    { make_table(fresh_, {}); }
    const std::string columns = "SELECT name FROM pragma_table_info('measurement')";
    EXPECT_EQ(text_of(file_, columns), text_of(fresh_, columns));
    EXPECT_NE(text_of(file_, columns), "");
}

TEST_F(TableUpgrade, ReadersKeepReadingWhileItIsUpgraded) {
    const Table reader = Table::open(file_, OpenMode::read);
    const std::vector<Row> before = reader.query({});
    Table writer = Table::open(file_, OpenMode::create, &test_device);
    writer.put(warm_row(conv(8, 40), 5.0));
    EXPECT_EQ(reader.query({}).size(), before.size() + 1);
}

TEST_F(TableUpgrade, MergesOldAndNewTables) {
    std::mt19937 random(2);
    Row better = rows_of_schema_1()[0];
    better.samples *= 2;
    better.readings = random_readings(random);
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
    EXPECT_EQ(version(), "2;");
    EXPECT_EQ(Table::open(file_, OpenMode::read).find(better.key), better);
}

TEST_F(TableUpgrade, ReadsAnOldTableWhereNothingCanBeWritten) {
    fs::permissions(folder_.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_EQ(Table::open(file_, OpenMode::read).size(), 3);
    fs::permissions(folder_.path(), fs::perms::owner_all);
}

}  // namespace
}  // namespace hacscale
