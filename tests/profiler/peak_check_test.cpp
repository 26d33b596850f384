#include "profiler/peak.hpp"

#include "models/ops/layer_spec.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

class PeakCheck : public ::testing::Test {
protected:
    // A row that does this share of the peak's FLOPs a second.
    static Row row_at(double share, int channels, double peak) {
        const LayerSpec layer = conv(channels, channels);
        const auto flops = static_cast<double>(cost_of(layer, 1, DataType::f32).flops());
        return warm_row(layer, flops / (share * peak) * 1e6, 0.001);
    }

    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
};

TEST_F(PeakCheck, FindsTheRowThatIsFasterThanThePeak) {
    EXPECT_FALSE(greatest_utilization(table_, DataType::f32));
    table_.put(PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, std::nullopt});
    EXPECT_FALSE(greatest_utilization(table_, DataType::f32)) << "no row yet";
    table_.put(std::vector<Row>{row_at(0.5, 16, 1e11), row_at(0.9, 32, 1e11)});
    EXPECT_NEAR(*greatest_utilization(table_, DataType::f32), 0.9, 1e-9);
    Row noisy = row_at(9.0, 48, 1e11);
    noisy.status = RowStatus::noisy;
    noisy.reason = "made up";
    table_.put(noisy);
    EXPECT_NEAR(*greatest_utilization(table_, DataType::f32), 0.9, 1e-9) << "a noisy row proves nothing";
    table_.put(row_at(2.82, 64, 1e11));
    EXPECT_NEAR(*greatest_utilization(table_, DataType::f32), 2.82, 1e-9);
    EXPECT_FALSE(greatest_utilization(table_, DataType::f16)) << "of another type nothing is known";
}

TEST_F(PeakCheck, TheBetterOfTwoMeasurementsStands) {
    const PeakRecord first{DataType::f32, 1e11, 3e10, std::nullopt, std::nullopt};
    const PeakRecord second{DataType::f32, 2e11, 2e10, 4e11, std::nullopt};
    const PeakRecord better = better_of(first, second);
    EXPECT_EQ(better.flops_per_s, 2e11);
    EXPECT_EQ(better.bytes_per_s, 3e10);
    EXPECT_EQ(better.nominal_flops_per_s, 4e11);
    EXPECT_EQ(better_of(second, first).flops_per_s, 2e11);
}

}  // namespace
}  // namespace hacscale
