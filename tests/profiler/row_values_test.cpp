// What becomes of a row whose layer is measured once more.
#include "profiler/row_values.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "profiler/table/export.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

Row measured(double latency_us, std::optional<double> reference_us, std::int64_t samples = 100) {
    Row row = network_row(conv(8, 8), latency_us, 1 << 20);
    row.reference_us = reference_us;
    row.samples = samples;
    return row;
}

TEST(RowChanges, RowsOfOnePaceAreUnitedBySamples) {
    const Row row = merged(measured(10.0, 100.0, 100), measured(12.0, 108.0, 300));
    EXPECT_DOUBLE_EQ(row.latency_us, 11.5);
    EXPECT_DOUBLE_EQ(row.reference_us.value(), 106.0);
    EXPECT_EQ(row.samples, 400);
}

TEST(RowChanges, OfTwoPacesTheFasterStays) {
    const Row fast = measured(10.0, 100.0);
    const Row slow = measured(19.0, 100.0 * slower_machine_from + 1.0, 1000);
    EXPECT_EQ(merged(fast, slow), fast);
    EXPECT_EQ(merged(slow, fast), fast);
}

TEST(RowChanges, WhatIsNotNoisyReplacesANoisyRow) {
    Row noisy = measured(15.0, 100.0, 1000);
    noisy.status = RowStatus::noisy;
    noisy.reason = "its interval is wide";
    const Row quiet = measured(10.0, 100.0);
    EXPECT_EQ(merged(noisy, quiet), quiet);
    EXPECT_EQ(merged(noisy, noisy).status, RowStatus::noisy);
}

TEST(RowChanges, AnUnknownPaceIsNoReasonToDropARow) {
    for (const auto& [before_us, now_us] :
         {std::pair<std::optional<double>, std::optional<double>>{100.0, std::nullopt},
          {std::nullopt, 100.0}}) {
        const Row row = merged(measured(10.0, before_us), measured(12.0, now_us));
        EXPECT_DOUBLE_EQ(row.latency_us, 11.0);
        EXPECT_EQ(row.reference_us, 100.0);
    }
    EXPECT_EQ(merged(measured(10.0, {}), measured(12.0, {})).reference_us, std::nullopt);
}

TEST(RowChanges, RowsTimedInTwoWaysAreNotUnited) {
    Row stopwatch = measured(10.0, {}, 1000);
    Row prefix = measured(12.0, {});
    prefix.timed_by = "prefix";
    EXPECT_EQ(merged(stopwatch, prefix), prefix);
    EXPECT_EQ(merged(prefix, stopwatch), stopwatch);
    // Rows of before there were two ways are of the stopwatch.
    Row named = measured(12.0, {}, 1000);
    named.timed_by = "stopwatch";
    named.overhead_us = 0.7;
    const Row both = merged(stopwatch, named);
    EXPECT_DOUBLE_EQ(both.latency_us, 11.0);
    EXPECT_EQ(both.overhead_us, 0.7);
}

TEST(RowValues, KeepTheFastestRunOfAllPlacesAndMeasurements) {
    NetworkTiming timing;
    timing.nodes = {{10.0, 1.0, 9.0}, {12.0, 1.0, 8.5}, {1.0, 0.1, 0.5}};
    timing.layer_samples = 50;
    Row first = measured(0.0, {});
    set_timing(first, timing, {0, 1});
    EXPECT_DOUBLE_EQ(first.latency_us, 11.0);
    EXPECT_EQ(first.min_us, 8.5);
    Row alone = measured(0.0, {});
    set_timing(alone, LayerTiming{{11.0, 1.0, 8.0}, 100, true});
    EXPECT_EQ(merged(first, alone).min_us, 8.0);
    const Row older = measured(11.0, {});  // of a table that did not keep it
    EXPECT_EQ(merged(older, alone).min_us, std::nullopt);
    fail(first, "out of memory");
    EXPECT_EQ(first.min_us, std::nullopt);

    TempFolder folder;
    make_table(folder / "t.db", {alone, failed_row(conv(8, 24))});
    const Table table = Table::open(folder / "t.db", OpenMode::read);
    EXPECT_EQ(table.find(alone.key)->min_us, 8.0);
    std::ostringstream exported;
    write_json(table, {}, exported);
    EXPECT_NE(exported.str().find("\"min_us\":8.0"), std::string::npos);
    EXPECT_NE(exported.str().find("\"min_us\":null"), std::string::npos);
}

}  // namespace
}  // namespace hacscale
