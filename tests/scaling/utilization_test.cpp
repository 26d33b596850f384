#include "scaling/analysis/utilization.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

constexpr DevicePeak peak{1e12, 1e11};

TEST(Utilization, OfANetworkIsItsFlopsOverTimeAndPeak) {
    const Graph network = lower(find_model("resnet20-cifar"));
    // 81.6 MFLOP in 1 ms on 1 TFLOP/s
    EXPECT_NEAR(utilization(network, 1000.0, 1, peak), 2.0 * 40'813'184 / 1e-3 / 1e12, 1e-12);
    EXPECT_NEAR(utilization(network, 1000.0, 8, peak), 8 * utilization(network, 1000.0, 1, peak), 1e-12);
}

TEST(Utilization, OfANetworkIsTheMeanOfItsLayersWeighedByTime) {
    const Graph network = lower(find_model("mobilenetv2-1.0"));
    const SyntheticSource source;
    double weighed = 0.0;
    double total_us = 0.0;
    for (const LayerEfficiency& layer : layer_efficiencies(network, source, 1, DataType::f32, peak)) {
        weighed += *layer.utilization * layer.estimate.latency_us;
        total_us += layer.estimate.latency_us;
        EXPECT_GE(*layer.roofline_efficiency, *layer.utilization);
    }
    EXPECT_NEAR(*utilization(network, source, 1, peak), weighed / total_us, 1e-12);
}

TEST(Utilization, ALayerBoundByMemoryIsJudgedByItsBytes) {
    Graph network;
    network.nodes.emplace_back();
    LayerSpec& pool = network.nodes[0].layer;
    pool.kind = LayerKind::global_avg_pool;
    pool.in_channels = pool.out_channels = 100;
    pool.in_height = pool.in_width = 10;
    const SyntheticSource source;
    const auto layers = layer_efficiencies(network, source, 1, DataType::f32, peak);
    EXPECT_EQ(*layers[0].utilization, 0.0);
    const double memory_us = static_cast<double>(layers[0].bytes) / peak.bytes_per_s * 1e6;
    EXPECT_NEAR(*layers[0].roofline_efficiency, memory_us / layers[0].estimate.latency_us, 1e-12);
}

TEST(Utilization, IsAbsentWhereALatencyIs) {
    const Graph network = lower(find_model("resnet20-cifar"));
    const SyntheticSource source([](const LayerSpec& layer) { return layer.kind == LayerKind::linear; });
    EXPECT_FALSE(utilization(network, source, 1, peak).has_value());
    const auto layers = layer_efficiencies(network, source, 1, DataType::f32, peak);
    EXPECT_FALSE(layers.back().utilization.has_value());
    EXPECT_TRUE(layers.front().utilization.has_value());
}

TEST(Utilization, RefusesPeaksAndLatenciesThatAreNotAboveZero) {
    const Graph network = lower(find_model("resnet20-cifar"));
    EXPECT_THROW(utilization(network, 1.0, 1, {0.0, 1.0}), InputError);
    EXPECT_THROW(utilization(network, 1.0, 1, {1.0, 0.0}), InputError);
    EXPECT_THROW(utilization(network, 0.0, 1, peak), InputError);
    EXPECT_THROW(layer_efficiencies(network, SyntheticSource(), 1, DataType::f32, {}), InputError);
}

}  // namespace
}  // namespace hacscale
