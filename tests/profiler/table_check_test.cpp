#include "profiler/table/check.hpp"

#include <algorithm>

#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

bool mentions(const TableCheck& check, Severity severity, const std::string& part) {
    return std::any_of(check.findings.begin(), check.findings.end(), [&](const Finding& finding) {
        return finding.severity == severity && finding.text.find(part) != std::string::npos;
    });
}

class CheckTable : public ::testing::Test {
protected:
    CheckTable() {
        Table table = make_table(file_, {warm_row(conv(8, 8), 1.0), network_row(conv(8, 16), 2.0, 1 << 20)});
        table.put(PeakRecord{DataType::f32, 1e9, 1e9, std::nullopt, std::nullopt});
    }
    TempFolder folder_;
    std::filesystem::path file_ = folder_ / "t.db";
};

TEST_F(CheckTable, FindsNothingInASoundTable) {
    const TableCheck check = check_table(file_);
    EXPECT_TRUE(check.findings.empty());
    EXPECT_TRUE(check.sound());
    EXPECT_EQ(check.rows, 2);
    EXPECT_EQ(check.layers, 2);
    EXPECT_EQ(check.ok, 2);
}

TEST_F(CheckTable, CountsRowsWithoutAFullValue) {
    Row noisy = warm_row(conv(8, 24), 1.0);
    noisy.status = RowStatus::noisy;
    noisy.reason = "time was up";
    { make_table(file_, {noisy, failed_row(conv(8, 32))}); }
    const TableCheck check = check_table(file_);
    EXPECT_TRUE(check.sound());
    EXPECT_EQ(check.noisy, 1);
    EXPECT_EQ(check.failed, 1);
    EXPECT_TRUE(mentions(check, Severity::warning, "1 of 4 rows are noisy"));
    EXPECT_TRUE(mentions(check, Severity::warning, "1 of 4 rows failed"));
}

struct Damage {
    const char* sql;
    Severity severity;
    const char* said;
};

// What the test's name shows.
void PrintTo(const Damage& damage, std::ostream* out) {
    *out << damage.sql;
}

class CheckDamage : public CheckTable, public ::testing::WithParamInterface<Damage> {};

TEST_P(CheckDamage, IsFound) {
    tamper(file_, GetParam().sql);
    const TableCheck check = check_table(file_);
    EXPECT_TRUE(mentions(check, GetParam().severity, GetParam().said));
    EXPECT_EQ(check.sound(), GetParam().severity == Severity::warning);
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckDamage,
    ::testing::Values(
        Damage{"UPDATE layer SET key = 'conv_nonsense' WHERE id = 1", Severity::error,
               "the key is none of a layer"},
        Damage{"UPDATE layer SET in_channels = 9 WHERE id = 1", Severity::error,
               "columns differ from its key"},
        Damage{"DELETE FROM layer WHERE id = 1", Severity::error, "layer is missing"},
        Damage{"UPDATE measurement SET latency_us = -1", Severity::error,
               "latency is not finite and positive"},
        Damage{"UPDATE measurement SET latency_us = NULL", Severity::error,
               "latency is not finite and positive"},
        Damage{"UPDATE measurement SET latency_us = 9e999", Severity::error,
               "latency is not finite and positive"},
        Damage{"UPDATE measurement SET ci95_us = -1", Severity::error, "interval is not finite"},
        Damage{"UPDATE measurement SET ci95_us = 100", Severity::warning, "wider than the latency"},
        Damage{"UPDATE measurement SET status = 'failed', latency_us = NULL", Severity::error, "no reason"},
        Damage{"UPDATE measurement SET status = 'failed', reason = 'x'", Severity::error, "has a latency"},
        Damage{"UPDATE measurement SET status = 'noisy'", Severity::warning, "noisy without a reason"},
        Damage{"UPDATE measurement SET status = 'great'", Severity::error, "status is none"},
        Damage{"UPDATE measurement SET dtype = 'f8'", Severity::error, "'f8' is no data type"},
        Damage{"UPDATE measurement SET cache = 'hot'", Severity::error, "'hot' is no cache state"},
        Damage{"UPDATE measurement SET batch = 0", Severity::error, "batch is not from 1 to 65536"},
        Damage{"UPDATE measurement SET batch = 4294967297", Severity::error, "batch is not from 1 to 65536"},
        Damage{"UPDATE measurement SET footprint_bytes = 100000 WHERE cache = 'network'", Severity::error,
               "half octave"},
        Damage{"UPDATE measurement SET footprint_bytes = 65536 WHERE cache = 'warm'", Severity::error,
               "only rows of the network"},
        Damage{"UPDATE measurement SET occupancy_achieved = 1.5", Severity::error,
               "occupancy_achieved is outside"},
        Damage{"UPDATE measurement SET energy_mj = -1", Severity::error, "energy_mj is not finite"},
        Damage{"UPDATE measurement SET l2_hit_rate = -0.1", Severity::error, "l2_hit_rate is outside"},
        Damage{"UPDATE measurement SET timed_by = 'sundial'", Severity::error,
               "how they were timed is unknown"},
        Damage{"UPDATE measurement SET overhead_us = -0.1", Severity::error, "took less than nothing"},
        Damage{"UPDATE measurement SET cache = 'network', dtype = 'f32', timed_by = CASE WHEN cache = 'warm' "
               "THEN "
               "'prefix' ELSE '' END, footprint_bytes = CASE WHEN cache = 'warm' THEN 131072 ELSE "
               "footprint_bytes END",
               Severity::warning, "rows are timed in two ways"},
        Damage{"UPDATE measurement SET pace_us = 0", Severity::error, "pace is not positive"},
        Damage{
            "UPDATE measurement SET pace_us = 100 + 50 * batch; UPDATE measurement SET pace_us = 100 WHERE "
            "cache = 'warm'",
            Severity::warning, "slower than for others"},
        Damage{"UPDATE measurement SET missing_reasons = '[]'", Severity::error, "no JSON object"},
        Damage{"UPDATE device SET properties = '{\"a\":' || replace(hex(zeroblob(200)), '00', '[') || "
               "replace(hex(zeroblob(200)), '00', ']') || '}'",
               Severity::error, "no JSON object"},
        Damage{"INSERT INTO kernel VALUES (1, 9, 'f32', 'warm', 0, 0, 'k', 1, 1, 1, 1, 1, 1, 8, 0, 0, 1.0, "
               "0, 0, 0, 0)",
               Severity::error, "kernel's row is missing"},
        Damage{"INSERT INTO verification VALUES (NULL, 'm', '', 1, 'f33', 'network', 1.0, 1.0, 0.0, '')",
               Severity::error, "the verification of m: "},
        Damage{"INSERT INTO verification VALUES (NULL, 'm', '', 0, 'f32', 'network', 1.0, 1.0, 0.0, '')",
               Severity::error, "the verification of m: the batch is not from 1"},
        Damage{"INSERT INTO verification VALUES (NULL, 'm', '', 1, 'f32', 'network', 1.0, 9e999, 0.0, '')",
               Severity::error, "the verification of m: a latency is not finite"},
        Damage{"DELETE FROM peak", Severity::warning, "no peak"},
        Damage{"UPDATE peak SET flops_per_s = 0", Severity::error, "peak is not positive"},
        Damage{"DELETE FROM device", Severity::error, "names no device"},
        Damage{"DELETE FROM measurement", Severity::warning, "no rows"}));

TEST_F(CheckTable, ListsAtMostTwentyOfASort) {
    std::vector<Row> rows;
    for (int width = 8; width <= 8 * 50; width += 8) rows.push_back(warm_row(conv(64, width), 1.0));
    { make_table(file_, rows); }
    tamper(file_, "UPDATE measurement SET ci95_us = -1");
    const TableCheck check = check_table(file_);
    EXPECT_EQ(check.findings.size(), 21U);
    EXPECT_TRUE(mentions(check, Severity::error, "32 more"));
}

TEST_F(CheckTable, FindsBrokenPages) {
    std::vector<Row> rows;
    for (int width = 8; width <= 8 * 300; width += 8) rows.push_back(warm_row(conv(64, width), 1.0));
    { make_table(file_, rows); }
    const auto size = std::filesystem::file_size(file_);
    {
        std::fstream stream(file_, std::ios::binary | std::ios::in | std::ios::out);
        for (std::uintmax_t offset = 5 * 4096; offset + 4096 <= size; offset += 4096) {
            stream.seekp(static_cast<std::streamoff>(offset));
            stream << std::string(200, 'x');
        }
    }
    EXPECT_FALSE(check_table(file_).sound());
}

}  // namespace
}  // namespace hacscale
