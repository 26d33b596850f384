// The device's ceilings, measured on a device whose ceilings are known.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "profiler/peak.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/fake_instruments.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

TEST(Peak, IsTheBestOverTheBackendsLayers) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec& layer) { return layer.in_height == 1 ? 100.0 : 200.0; };
    const PeakRecord peak = measure_peak(device.handle, quick_settings(), {});
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
    EXPECT_NEAR(measure_peak(device.handle, quick_settings(), {}).flops_per_s, only, 1e-6 * only);
}

TEST(Peak, SaysWhyThereIsNone) {
    FakeDevice device;
    MeasureSettings settings = quick_settings();
    settings.type = DataType::f16;
    expect_error<WorkError>([&] { measure_peak(device.handle, settings, {}); },
                            {"the peak of fake in f16 could not be measured", "no f16"});
}

// The first time that each layer is timed, clocks are at half their speed.
TEST(Peak, IsMeasuredAgainWhenClocksWereHeldDown) {
    FakeDevice device;
    device.machine.latency_us = [](const LayerSpec&) { return 100.0; };
    FakeInstruments instruments;
    instruments.tell = [&](int call) {
        DeviceState state;
        state.throttled = call % 4 == 1;
        state.throttle_reasons = state.throttled ? "thermal slowdown" : "";
        device.machine.slowdown = call % 4 < 1 ? 2.0 : 1.0;
        return state;
    };
    MeasureSettings settings = quick_settings();
    settings.instruments = &instruments;
    settings.cool_down_seconds = 0.0;
    const double best = 2.0 * 64 * 64 * 16 / 100e-6;
    EXPECT_NEAR(measure_peak(device.handle, settings, {}).flops_per_s, best, 1e-6 * best);
    EXPECT_EQ(instruments.asked, 8);
}

TEST(Peak, IsNoFaultWhenInterrupted) {
    FakeDevice device;
    EXPECT_EQ(measure_peak(device.handle, quick_settings(), {[] { return false; }}).flops_per_s, 0.0);
}

}  // namespace
}  // namespace hacscale
