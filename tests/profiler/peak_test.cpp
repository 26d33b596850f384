// The device's ceilings, measured on a device whose ceilings are known.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "profiler/peak.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(Peak, IsTheBestOverTheBackendsLayers) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec& layer) { return layer.in_height == 1 ? 100.0 : 200.0; };
    const PeakRecord peak = measure_peak(device.handle, DataType::f32, {});
    EXPECT_EQ(peak.type, DataType::f32);
    EXPECT_DOUBLE_EQ(peak.bytes_per_s, 2e10);
    // 64 x 64 MACs on 16 pixels in 200 us is more than on one pixel in 100 us.
    const double best = 2.0 * 64 * 64 * 16 / 200e-6;
    EXPECT_NEAR(peak.flops_per_s, best, 1e-6 * best);
    EXPECT_FALSE(peak.nominal_flops_per_s.has_value());
}

TEST(Peak, PassesOverLayersThatCannotRun) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 100.0; };
    device.machine.supported = [](const LayerSpec& layer) { return layer.in_height == 1; };
    const double only = 2.0 * 64 * 64 / 100e-6;
    EXPECT_NEAR(measure_peak(device.handle, DataType::f32, {}).flops_per_s, only, 1e-6 * only);
}

TEST(Peak, SaysWhyThereIsNone) {
    FakeDevice device;
    expect_error<WorkError>([&] { measure_peak(device.handle, DataType::f16, {}); },
                            {"the peak of fake in f16 could not be measured", "no f16"});
}

TEST(Peak, IsNoFaultWhenInterrupted) {
    FakeDevice device;
    EXPECT_EQ(measure_peak(device.handle, DataType::f32, {[] { return false; }}).flops_per_s, 0.0);
}

}  // namespace
}  // namespace hacscale
