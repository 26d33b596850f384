#include "profiler/table/interpolation.hpp"

#include <cmath>

#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

constexpr std::int64_t mib = 1 << 20;

class LatencyIndex : public ::testing::Test {
protected:
    TableLatencySource network_source(std::int64_t footprint_bytes) const {
        return {table_, 1, DataType::f32, CacheState::network, footprint_bytes};
    }
    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
};

TEST_F(LatencyIndex, AnswersMeasuredInterpolatedAndMissing) {
    table_.put(warm_row(conv(32, 32), 10.0));
    table_.put(warm_row(conv(32, 64), 20.0));
    const TableLatencySource source(table_, 1, DataType::f32, CacheState::warm);
    for (int round = 0; round < 2; ++round) {  // the second answer comes from memory
        EXPECT_EQ(source.estimate(conv(32, 32)).latency_us, 10.0);
        EXPECT_EQ(source.estimate(conv(32, 32)).kind, EstimateKind::measured);
        EXPECT_EQ(source.estimate(conv(32, 48)).latency_us, 15.0);
        EXPECT_EQ(source.estimate(conv(32, 48)).kind, EstimateKind::interpolated);
        EXPECT_EQ(source.estimate(conv(128, 128)).latency_us, 0.0);
        EXPECT_EQ(source.estimate(conv(128, 128)).kind, EstimateKind::missing);
        EXPECT_EQ(source.estimate(conv(32, 32, 7)).kind, EstimateKind::missing);
        EXPECT_EQ(source.estimate(depthwise(32)).kind, EstimateKind::missing);
    }
}

TEST_F(LatencyIndex, KeepsToItsBatchTypeAndState) {
    table_.put(warm_row(conv(32, 32), 10.0));
    using enum EstimateKind;
    EXPECT_EQ(TableLatencySource(table_, 2, DataType::f32, CacheState::warm).estimate(conv(32, 32)).kind,
              missing);
    EXPECT_EQ(TableLatencySource(table_, 1, DataType::f16, CacheState::warm).estimate(conv(32, 32)).kind,
              missing);
    EXPECT_EQ(TableLatencySource(table_, 1, DataType::f32, CacheState::cold).estimate(conv(32, 32)).kind,
              missing);
    EXPECT_EQ(TableLatencySource(table_, 1, DataType::f32, CacheState::warm, mib).estimate(conv(32, 32)).kind,
              measured);
    EXPECT_THROW(TableLatencySource(table_, 0, DataType::f32, CacheState::warm), InputError);
}

TEST_F(LatencyIndex, CountsNoisyRowsAndNotFailedOnes) {
    Row noisy = warm_row(conv(32, 32), 10.0);
    noisy.status = RowStatus::noisy;
    table_.put(noisy);
    table_.put(failed_row(conv(32, 40)));
    table_.put(warm_row(conv(32, 48), 20.0));
    const TableLatencySource source(table_, 1, DataType::f32, CacheState::warm);
    EXPECT_EQ(source.estimate(conv(32, 32)).kind, EstimateKind::measured);
    EXPECT_EQ(source.estimate(conv(32, 40)).kind, EstimateKind::interpolated);
    EXPECT_EQ(source.estimate(conv(32, 40)).latency_us, 15.0);
}

TEST_F(LatencyIndex, GoesBetweenTheNearestFootprints) {
    table_.put(network_row(conv(32, 32), 10.0, mib));
    table_.put(network_row(conv(32, 32), 30.0, 4 * mib));
    table_.put(network_row(conv(32, 32), 100.0, 64 * mib));
    const auto at = [&](std::int64_t footprint_bytes) {
        const LatencyEstimate estimate = network_source(footprint_bytes).estimate(conv(32, 32));
        EXPECT_EQ(estimate.kind, EstimateKind::measured);
        return estimate.latency_us;
    };
    EXPECT_EQ(at(mib), 10.0);
    EXPECT_NEAR(at(2 * mib), 20.0, 1e-9);
    EXPECT_EQ(at(4 * mib), 30.0);
    EXPECT_EQ(at(64 * mib), 100.0);
    EXPECT_EQ(at(0), 10.0);
    EXPECT_EQ(at(1000 * mib), 100.0);
    double before = 0.0;
    for (std::int64_t bytes = mib / 2; bytes < 128 * mib; bytes += mib / 3) {
        EXPECT_GE(at(bytes), before);
        before = at(bytes);
    }
}

TEST_F(LatencyIndex, CarriesIntervalsAndNoise) {
    Row low = network_row(conv(32, 32), 10.0, mib);
    low.ci95_us = 0.6;
    low.status = RowStatus::noisy;
    Row high = network_row(conv(32, 32), 30.0, 4 * mib);
    high.ci95_us = 0.8;
    table_.put(low);
    table_.put(high);
    const auto at = [&](std::int64_t footprint_bytes) {
        return network_source(footprint_bytes).estimate(conv(32, 32));
    };
    EXPECT_EQ(at(mib).ci95_us, 0.6);
    EXPECT_TRUE(at(mib).noisy);
    EXPECT_NEAR(at(2 * mib).ci95_us, 0.5, 1e-12);  // of the mean of two independent rows
    EXPECT_TRUE(at(2 * mib).noisy);
    EXPECT_EQ(at(4 * mib).ci95_us, 0.8);
    EXPECT_FALSE(at(4 * mib).noisy);
    EXPECT_EQ(network_source(mib).estimate(conv(32, 36)).ci95_us, 0.0);  // not measured
}

TEST_F(LatencyIndex, InterpolatesOverChannelsAtTheFootprint) {
    for (const int out : {32, 64}) {
        table_.put(network_row(conv(32, out), out, mib));
        table_.put(network_row(conv(32, out), 2.0 * out, 4 * mib));
    }
    const LatencyEstimate estimate = network_source(2 * mib).estimate(conv(32, 48));
    EXPECT_EQ(estimate.kind, EstimateKind::interpolated);
    EXPECT_NEAR(estimate.latency_us, 1.5 * 48, 1e-9);
}

TEST_F(LatencyIndex, SumsANetwork) {
    table_.put(warm_row(conv(32, 32), 10.0));
    table_.put(warm_row(conv(32, 64), 20.0));
    const TableLatencySource source(table_, 1, DataType::f32, CacheState::warm);
    Graph network;
    for (const LayerSpec& layer : {conv(32, 32), conv(32, 48), conv(32, 32), conv(512, 8), conv(8, 512)}) {
        network.nodes.emplace_back().layer = layer;
    }
    const NetworkEstimate sum = estimate(network, source);
    EXPECT_EQ(sum.latency_us, 35.0);
    EXPECT_EQ(sum.interpolated_layers, 1);
    EXPECT_EQ(sum.missing_layers, 2);
    EXPECT_EQ(sum.first_missing, conv(512, 8).key());
}

}  // namespace
}  // namespace hacscale
