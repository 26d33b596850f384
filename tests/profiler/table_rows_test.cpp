// Rows and records put into a table and read from it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "profiler/table/check.hpp"
#include "tests/models/generated.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

class TableRows : public ::testing::Test {
protected:
    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
};

TEST_F(TableRows, ComeBackAsTheyWere) {
    std::mt19937 random(7);
    std::map<RowKey, Row> expected;
    for (int i = 0; i < 400; ++i) {
        const Row row = random_row(random);
        expected[row.key] = row;
    }
    std::vector<Row> rows;
    for (const auto& [key, row] : expected) rows.push_back(row);
    table_.put(rows);
    EXPECT_EQ(table_.size(), static_cast<std::int64_t>(rows.size()));
    for (const Row& row : rows) EXPECT_EQ(table_.find(row.key), row);

    const std::vector<Row> all = table_.query({});
    EXPECT_EQ(all.size(), rows.size());
    for (const Row& row : all) EXPECT_EQ(row, expected.at(row.key));
    EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](const Row& a, const Row& b) {
        return a.key.layer.key() < b.key.layer.key();
    }));
}

TEST_F(TableRows, HoldLayersOfEveryOperator) {
    Generator generate(31);
    std::map<LayerSpec, Row> rows;
    std::set<LayerKind> kinds;
    for (int i = 0; i < 600; ++i) {
        const LayerSpec layer = generate.layer();
        rows[layer] = warm_row(layer, 1.0 + i);
        kinds.insert(layer.kind);
    }
    EXPECT_EQ(kinds.size(), all_operators().size());
    std::vector<Row> list;
    for (const auto& [layer, row] : rows) list.push_back(row);
    table_.put(list);
    for (const auto& [layer, row] : rows) {
        EXPECT_EQ(table_.find(row.key), row);
        bool found = false;
        table_.for_each_of_family(layer, 1, DataType::f32, CacheState::warm,
                                  [&](const Row& other) { found |= other.key.layer == layer; });
        EXPECT_TRUE(found) << layer.key();
    }
    EXPECT_TRUE(check_table(folder_ / "t.db").sound());
}

TEST_F(TableRows, AreReplacedByTheSameKey) {
    table_.put(warm_row(conv(8, 8), 1.0));
    table_.put(warm_row(conv(8, 8), 2.0));
    EXPECT_EQ(table_.size(), 1);
    EXPECT_EQ(table_.find(warm_row(conv(8, 8), 0.0).key)->latency_us, 2.0);
    table_.put(failed_row(conv(8, 8)));
    EXPECT_EQ(table_.find(warm_row(conv(8, 8), 0.0).key), failed_row(conv(8, 8)));
}

TEST_F(TableRows, AreRefusedWithoutASoundLatency) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const double wrong : {0.0, -1.0, nan, infinity}) {
        EXPECT_THROW(table_.put(warm_row(conv(8, 8), wrong)), InputError) << wrong;
    }
    for (const double wrong : {-1.0, nan, infinity}) {
        EXPECT_THROW(table_.put(warm_row(conv(8, 8), 1.0, wrong)), InputError) << wrong;
    }
    LayerSpec pool;
    pool.kind = LayerKind::global_avg_pool;
    pool.in_channels = pool.out_channels = 8;
    pool.window.strides = {2, 2};  // a pool over the whole map has none, so its key would not say it
    EXPECT_THROW(table_.put(warm_row(pool, 1.0)), InputError);
    EXPECT_EQ(table_.size(), 0);
}

TEST_F(TableRows, TellTheFastestPaceOfADataType) {
    EXPECT_EQ(table_.fastest_reference_us(DataType::f32), std::nullopt);
    Row row = network_row(conv(8, 8), 1.0, 1 << 20);
    table_.put(row);
    EXPECT_EQ(table_.fastest_reference_us(DataType::f32), std::nullopt);
    for (const double reference_us : {120.0, 100.0, 110.0}) {
        row.key.layer.out_channels += 8;
        row.reference_us = reference_us;
        table_.put(row);
    }
    row.key.type = DataType::f16;
    row.reference_us = 50.0;
    table_.put(row);
    EXPECT_EQ(table_.fastest_reference_us(DataType::f32), 100.0);
    EXPECT_EQ(table_.fastest_reference_us(DataType::f16), 50.0);
    for (const double wrong : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
        row.reference_us = wrong;
        EXPECT_THROW(table_.put(row), InputError) << wrong;
    }
}

TEST_F(TableRows, OfOneCallAreAllPutOrNone) {
    EXPECT_THROW(table_.put({warm_row(conv(8, 8), 1.0), warm_row(conv(8, 16), -1.0)}), InputError);
    EXPECT_EQ(table_.size(), 0);
    table_.put(warm_row(conv(8, 8), 1.0));  // its layer was rolled back and is made again
    EXPECT_TRUE(table_.find(warm_row(conv(8, 8), 1.0).key));
}

TEST_F(TableRows, AreFoundAtAllFootprintsAscending) {
    for (const std::int64_t size_mib : {64, 1, 8}) table_.put(network_row(conv(8, 8), 1.0, size_mib << 20));
    table_.put(network_row(conv(8, 16), 1.0, 1 << 20));
    table_.put(warm_row(conv(8, 8), 1.0));
    const auto rows = table_.find_all(conv(8, 8), 1, DataType::f32, CacheState::network);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].key.footprint_bytes, 1 << 20);
    EXPECT_EQ(rows[2].key.footprint_bytes, 64 << 20);
    EXPECT_TRUE(table_.find_all(conv(8, 8), 2, DataType::f32, CacheState::network).empty());
}

TEST_F(TableRows, AreFiltered) {
    table_.put(warm_row(conv(8, 8), 1.0));
    table_.put(warm_row(depthwise(16), 1.0));
    table_.put(failed_row(conv(8, 16)));
    Row other = network_row(conv(8, 8), 1.0, 0);
    other.key.batch = 4;
    other.key.type = DataType::bf16;
    table_.put(other);
    EXPECT_EQ(table_.query({}).size(), 4U);
    EXPECT_EQ(table_.query({.layer_contains = "_g16"}).size(), 1U);
    EXPECT_EQ(table_.query({.layer_contains = "%"}).size(), 0U);  // text, not a pattern
    EXPECT_EQ(table_.query({.kind = LayerKind::conv}).size(), 4U);
    EXPECT_EQ(table_.query({.kind = LayerKind::linear}).size(), 0U);
    EXPECT_EQ(table_.query({.batch = 4}), std::vector<Row>{other});
    EXPECT_EQ(table_.query({.type = DataType::bf16}), std::vector<Row>{other});
    EXPECT_EQ(table_.query({.cache = CacheState::network}), std::vector<Row>{other});
    EXPECT_EQ(table_.query({.status = RowStatus::failed}), std::vector<Row>{failed_row(conv(8, 16))});
    EXPECT_EQ(table_.query({.batch = 1, .status = RowStatus::ok}).size(), 2U);
}

TEST_F(TableRows, OfAFamilyDifferInChannelsOnly) {
    table_.put(warm_row(conv(8, 8), 1.0));
    table_.put(warm_row(conv(16, 24), 1.0));
    table_.put(failed_row(conv(32, 32)));
    table_.put(warm_row(conv(8, 8, 28), 1.0));
    LayerSpec added = conv(8, 8);
    added.residual = true;
    table_.put(warm_row(added, 1.0));
    int seen = 0;
    table_.for_each_of_family(conv(64, 64), 1, DataType::f32, CacheState::warm, [&](const Row& row) {
        ++seen;
        EXPECT_EQ(row.key.layer.in_height, 56);
        EXPECT_FALSE(row.key.layer.residual);
        EXPECT_TRUE(has_latency(row.status));
    });
    EXPECT_EQ(seen, 2);
}

TEST_F(TableRows, HaveRecordsBesideThem) {
    EXPECT_FALSE(table_.peak(DataType::f32));
    table_.put(PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, 2.5e10});
    const PeakRecord better{DataType::f32, 1.1e11, 2.1e10, 2e11, std::nullopt};
    table_.put(better);
    EXPECT_EQ(table_.peak(DataType::f32), better);
    EXPECT_FALSE(table_.peak(DataType::f16));

    const VerificationRecord first{"resnet18", "abc", 1,   DataType::f32, CacheState::network,
                                   10.0,       11.0,  0.1, "t1"};
    VerificationRecord second = first;
    second.measured_at = "t2";
    table_.put(first);
    table_.put(second);
    EXPECT_EQ(table_.verifications(), (std::vector{first, second}));
}

}  // namespace
}  // namespace hacscale
