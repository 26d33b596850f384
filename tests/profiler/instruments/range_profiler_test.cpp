#include "profiler/instruments/cupti/range_profiler.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.hpp"
#include "tests/profiler/instruments/fake_cupti.hpp"

namespace hacscale::cupti {
namespace {

using tests::fake_cupti;

class RangeProfiler : public ::testing::Test {
protected:
    RangeProfiler() : library(tests::make_fake_cupti()) {}
    std::vector<LayerReadings> read(std::size_t layers, const InstrumentOptions& options = {}) {
        std::vector<LayerReadings> readings(layers);
        read_counters(
            library, nullptr, 0, options, [](int) { fake_cupti().calls.push_back("layer"); }, readings);
        return readings;
    }
    CuptiLibrary library;
};

TEST_F(RangeProfiler, MakesTheCallsInCuptisOrder) {
    read(2);
    const std::vector<std::string> pass{"start", "push", "layer", "pop", "push", "layer", "pop", "stop"};
    std::vector<std::string> expected{"initialize", "enable", "counter data", "config"};
    expected.insert(expected.end(), pass.begin(), pass.end());
    expected.insert(expected.end(), pass.begin(), pass.end());
    expected.insert(expected.end(), {"decode", "disable"});
    EXPECT_EQ(fake_cupti().calls, expected);
}

// A layer of 2 us on a quarter of the multiprocessors, in a range of 30 us: the range's time is in no figure.
TEST_F(RangeProfiler, ComputesEachColumnFromItsMetrics) {
    fake_cupti().values = {{"sm__cycles_active.avg", 1000.0},
                           {"sm__cycles_active.max", 4000.0},
                           {"sm__cycles_active.avg.pct_of_peak_sustained_elapsed", 1.7},
                           {"sm__throughput.avg.pct_of_peak_sustained_elapsed", 1.0},
                           {"lts__t_requests_lookup_hit.sum", 900.0},
                           {"lts__t_requests_lookup_miss.sum", 100.0}};
    const std::vector<LayerReadings> readings = read(3, {.sm_throughput = true});
    for (std::size_t layer = 0; layer < 3; ++layer) {
        const double value = 50.0 + static_cast<double>(layer);
        EXPECT_DOUBLE_EQ(readings[layer].occupancy_achieved.value(), value / 100.0);
        EXPECT_DOUBLE_EQ(readings[layer].tensor_active.value(), value / 100.0);
        EXPECT_DOUBLE_EQ(readings[layer].sm_busy.value(), 0.25);
        EXPECT_DOUBLE_EQ(readings[layer].l2_hit_rate.value(), 0.9);
        EXPECT_DOUBLE_EQ(readings[layer].dram_bytes.value(), value);
        EXPECT_DOUBLE_EQ(readings[layer].sm_throughput.value(), value / 100.0 * 0.25);
        EXPECT_TRUE(readings[layer].reasons.empty());
    }
}

TEST_F(RangeProfiler, LeavesTheThroughputOutUnlessAskedFor) {
    const LayerReadings layer = read(1).front();
    EXPECT_FALSE(layer.sm_throughput);
    EXPECT_EQ(layer.reasons.count("sm_throughput"), 0U);
}

// Whatever call fails, every column has the reason, and the profiler is switched off.
TEST_F(RangeProfiler, TurnsFailuresIntoReasons) {
    for (const char* call :
         {"initialize", "enable", "counter data", "config", "start", "push", "pop", "stop", "decode"}) {
        SCOPED_TRACE(call);
        library = tests::make_fake_cupti();
        fake_cupti().failing_call = call;
        fake_cupti().failure = CUPTI_ERROR_INSUFFICIENT_PRIVILEGES;
        for (const LayerReadings& layer : read(2)) {
            EXPECT_EQ(layer.reasons.size(), 5U);
            EXPECT_FALSE(layer.occupancy_achieved);
            EXPECT_NE(layer.reasons.at("occupancy_achieved").find("NVreg_RestrictProfilingToAdminUsers=0"),
                      std::string::npos);
        }
        EXPECT_FALSE(fake_cupti().enabled);
    }
}

TEST_F(RangeProfiler, SaysWhichLayersWereDropped) {
    fake_cupti().ranges.clear();
    fake_cupti().dropped_ranges = 1;
    const std::vector<LayerReadings> readings = read(3);
    EXPECT_TRUE(readings[1].sm_busy);
    EXPECT_FALSE(readings[2].sm_busy);
    EXPECT_NE(readings[2].reasons.at("sm_busy").find("dropped"), std::string::npos);
    EXPECT_TRUE(readings[1].reasons.empty());
}

TEST_F(RangeProfiler, SaysThatAMetricHadNothingToCount) {
    fake_cupti().value = 0.0;
    const LayerReadings layer = read(1).front();
    EXPECT_FALSE(layer.l2_hit_rate);
    EXPECT_NE(layer.reasons.at("l2_hit_rate").find("lts__t_requests_lookup_hit.sum"), std::string::npos);
    EXPECT_FALSE(layer.sm_busy);
    EXPECT_EQ(layer.dram_bytes, 0.0);
}

// Counters of several passes may not fit each other.
TEST_F(RangeProfiler, KeepsNoShareThatIsNone) {
    fake_cupti().values["sm__warps_active.avg.pct_of_peak_sustained_active"] = 167.0;
    const LayerReadings layer = read(1).front();
    EXPECT_FALSE(layer.occupancy_achieved);
    EXPECT_NE(layer.reasons.at("occupancy_achieved").find("above 100 %"), std::string::npos);
    EXPECT_EQ(layer.dram_bytes, 50.0);
    fake_cupti().values["sm__warps_active.avg.pct_of_peak_sustained_active"] = 101.0;
    EXPECT_DOUBLE_EQ(read(1).front().occupancy_achieved.value(), 1.01);
}

// On an H200, CUPTI's own rate of layers of a few microseconds was up to 167 %.
TEST_F(RangeProfiler, HasAHitRateWhateverIsCounted) {
    fake_cupti().values = {{"lts__t_sector_hit_rate.pct", 167.0},
                           {"lts__t_requests_lookup_hit.sum", 300.0},
                           {"lts__t_requests_lookup_miss.sum", 0.0}};
    EXPECT_DOUBLE_EQ(read(1).front().l2_hit_rate.value(), 1.0);
}

// The pair of counters of a quotient would be torn apart in a schedule of many passes.
TEST_F(RangeProfiler, ReadsTheThroughputInPassesOfItsOwn) {
    read(1, {.sm_throughput = true});
    EXPECT_EQ(std::count(fake_cupti().calls.begin(), fake_cupti().calls.end(), "config"), 2);
    EXPECT_FALSE(fake_cupti().enabled);
}

TEST_F(RangeProfiler, LetsALostDeviceThroughAndSwitchesOff) {
    std::vector<LayerReadings> readings(2);
    EXPECT_THROW(read_counters(
                     library, nullptr, 0, {}, [](int) { throw DeviceLost("lost"); }, readings),
                 DeviceLost);
    EXPECT_FALSE(fake_cupti().enabled);
}

TEST_F(RangeProfiler, EndsWhenCuptiNeverHasEnough) {
    library.host_get_num_of_passes = [](CUpti_Profiler_Host_GetNumOfPasses_Params* params) {
        params->numOfPasses = 3;
        return CUPTI_SUCCESS;
    };
    fake_cupti().passes = 1000000;
    EXPECT_NE(read(1).front().reasons.at("sm_busy").find("more passes"), std::string::npos);
}

TEST_F(RangeProfiler, HasTheReasonOfAMissingLibrary) {
    library.reason = "libcupti.so.13 was not found";
    EXPECT_EQ(read(1).front().reasons.at("dram_bytes"), library.reason);
    EXPECT_TRUE(fake_cupti().calls == std::vector<std::string>{});
}

}  // namespace
}  // namespace hacscale::cupti
