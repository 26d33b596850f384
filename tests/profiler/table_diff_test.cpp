#include "profiler/table/diff.hpp"

#include <cmath>

#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(TableDiff, IsAntisymmetric) {
    for (unsigned seed = 0; seed < 4; ++seed) {
        const TempFolder folder;
        std::mt19937 random(seed);
        std::vector<Row> rows_a;
        std::vector<Row> rows_b;
        for (int i = 0; i < 150; ++i) {
            const Row row = random_row(random);
            if (i % 5 != 0) rows_a.push_back(row);
            Row changed = row;
            if (has_latency(row.status)) {
                changed.latency_us *= 0.9 + 0.2 * static_cast<double>(random() % 100) / 100.0;
            }
            if (i % 7 != 0) rows_b.push_back(changed);
        }
        const Table a = make_table(folder / "a.db", rows_a);
        const Table b = make_table(folder / "b.db", rows_b);
        const TableDiff forward = diff_tables(a, b);
        const TableDiff backward = diff_tables(b, a);
        EXPECT_EQ(forward.only_a, backward.only_b);
        EXPECT_EQ(forward.only_b, backward.only_a);
        EXPECT_EQ(forward.significantly_slower, backward.significantly_faster);
        EXPECT_NEAR(forward.geometric_mean_ratio * backward.geometric_mean_ratio, 1.0, 1e-12);
        ASSERT_EQ(forward.ratios.size(), backward.ratios.size());
        ASSERT_EQ(forward.ratios.size() + forward.without_ratio.size() + forward.only_a.size(),
                  static_cast<std::size_t>(a.size()));
        double change = std::numeric_limits<double>::infinity();
        for (std::size_t i = 0; i < forward.ratios.size(); ++i) {
            const RowRatio& there = forward.ratios[i];
            const RowRatio& back = backward.ratios[i];
            EXPECT_EQ(there.key, back.key);
            EXPECT_NEAR(there.ratio * back.ratio, 1.0, 1e-12);
            EXPECT_NEAR(there.ratio_low * back.ratio_high, 1.0, 1e-12);
            EXPECT_EQ(there.significant, back.significant);
            EXPECT_LE(there.ratio_low, there.ratio);
            EXPECT_GE(there.ratio_high, there.ratio);
            EXPECT_EQ(there.significant, there.ratio_low > 1.0 || there.ratio_high < 1.0);
            EXPECT_LE(std::abs(there.b_us - there.a_us), change);
            change = std::abs(there.b_us - there.a_us);
        }
    }
}

TEST(TableDiff, OfATableWithItselfIsNothing) {
    const TempFolder folder;
    const Table a = make_table(folder / "a.db", {warm_row(conv(8, 8), 1.0), failed_row(conv(8, 16))});
    const TableDiff diff = diff_tables(a, a);
    EXPECT_TRUE(diff.same_device);
    EXPECT_EQ(diff.significantly_slower + diff.significantly_faster, 0);
    ASSERT_EQ(diff.ratios.size(), 1U);
    EXPECT_EQ(diff.ratios[0].ratio, 1.0);
    ASSERT_EQ(diff.without_ratio.size(), 1U);
    EXPECT_EQ(diff.without_ratio[0].reason, "out of memory");
}

TEST(TableDiff, PropagatesBothIntervals) {
    const TempFolder folder;
    const Table a =
        make_table(folder / "a.db", {warm_row(conv(8, 8), 100.0, 3.0), warm_row(conv(8, 16), 100.0, 3.0)});
    const Table b =
        make_table(folder / "b.db", {warm_row(conv(8, 8), 104.0, 4.16), warm_row(conv(8, 16), 106.0, 4.24)});
    const TableDiff diff = diff_tables(a, b);
    ASSERT_EQ(diff.ratios.size(), 2U);
    EXPECT_NEAR(diff.ratios[0].ratio_low, 1.06 * std::exp(-0.05), 1e-12);  // sqrt(0.03^2 + 0.04^2)
    EXPECT_NEAR(diff.ratios[0].ratio_high, 1.06 * std::exp(0.05), 1e-12);
    EXPECT_TRUE(diff.ratios[0].significant);
    EXPECT_FALSE(diff.ratios[1].significant);
    EXPECT_EQ(diff.significantly_slower, 1);
}

TEST(TableDiff, SaysThatDevicesDiffer) {
    const TempFolder folder;
    const Table a = make_table(folder / "a.db", {warm_row(conv(8, 8), 1.0)});
    const Table b = make_table(folder / "b.db", {failed_row(conv(8, 8), "no kernel")}, other_device);
    const TableDiff diff = diff_tables(a, b);
    EXPECT_FALSE(diff.same_device);
    EXPECT_EQ(diff.device_a, test_device);
    EXPECT_EQ(diff.device_b, other_device);
    ASSERT_EQ(diff.without_ratio.size(), 1U);
    EXPECT_EQ(diff.without_ratio[0].a, RowStatus::ok);
    EXPECT_EQ(diff.without_ratio[0].b, RowStatus::failed);
    EXPECT_EQ(diff.without_ratio[0].reason, "no kernel");
}

}  // namespace
}  // namespace hacscale
