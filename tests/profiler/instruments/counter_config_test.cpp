#include "profiler/cupti/counter_config.hpp"

#include <gtest/gtest.h>

#include <set>

#include "profiler/cupti/cupti_error.hpp"

namespace hacscale::cupti {
namespace {

// CUPTI's host side works without a device.
class CounterConfigs : public ::testing::Test {
protected:
    void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
        GTEST_SKIP() << "CUPTI opens libnvperf_host with RTLD_DEEPBIND, which AddressSanitizer forbids";
#endif
        if (!cupti().usable()) GTEST_SKIP() << cupti().reason;
    }
};

TEST_F(CounterConfigs, TakeTheMetricsOnEveryGeneration) {
    for (const char* chip : {"TU102", "GA100", "AD102", "GH100", "GB202"}) {
        SCOPED_TRACE(chip);
        const CounterConfig config = counter_config(cupti(), chip, {});
        EXPECT_EQ(config.metrics.size(), 5U);
        EXPECT_TRUE(config.reasons.empty());
        EXPECT_FALSE(config.image.empty());
        EXPECT_GE(config.passes, 1U);
        EXPECT_LE(config.passes, 4U);
        RecordProperty(std::string("passes_") + chip, static_cast<int>(config.passes));
    }
}

// The reason why it is left out unless asked for.
TEST_F(CounterConfigs, NeedMorePassesForTheThroughput) {
    for (const char* chip : {"TU102", "GA100", "AD102", "GH100", "GB202"}) {
        SCOPED_TRACE(chip);
        const CounterConfig without = counter_config(cupti(), chip, {});
        const CounterConfig with = counter_config(cupti(), chip, {.sm_throughput = true});
        EXPECT_EQ(with.metrics.size(), 6U);
        EXPECT_GT(with.passes, without.passes);
        RecordProperty(std::string("passes_with_throughput_") + chip, static_cast<int>(with.passes));
    }
}

// On all chips that this CUPTI knows: a metric is refused exactly where the list says that it is absent.
TEST_F(CounterConfigs, KnowOnWhichChipsAMetricIsAbsent) {
    CUpti_Profiler_Host_GetSupportedChips_Params chips{};
    chips.structSize = CUpti_Profiler_Host_GetSupportedChips_Params_STRUCT_SIZE;
    ASSERT_EQ(cupti().host_get_supported_chips(&chips), CUPTI_SUCCESS);
    ASSERT_GT(chips.numChips, 10U);
    int known = 0;
    for (std::size_t i = 0; i < chips.numChips; ++i) {
        const std::string chip = chips.ppChipNames[i];
        try {
            const CounterConfig config = counter_config(cupti(), chip, {.sm_throughput = true});
            for (const CounterMetric& metric : counter_metrics()) {
                const std::string column(metric.column);
                EXPECT_EQ(config.reasons.count(column), metric.absent(chip) ? 1U : 0U)
                    << chip << " " << column;
            }
            ++known;
        } catch (const CuptiFailure&) {
            // Named in the list, and still not supported by the range profiler.
        }
    }
    EXPECT_GT(known, 10);
}

TEST_F(CounterConfigs, RefuseAChipThatIsNone) {
    try {
        counter_config(cupti(), "XX999", {});
        FAIL() << "expected CuptiFailure";
    } catch (const CuptiFailure& failure) {
        EXPECT_NE(std::string(failure.what()).find("XX999"), std::string::npos) << failure.what();
        EXPECT_NE(std::string(failure.what()).find("newer CUPTI"), std::string::npos) << failure.what();
    }
}

TEST(CounterMetrics, FillColumnsOfTheirOwn) {
    std::set<std::string_view> columns;
    for (const CounterMetric& metric : counter_metrics()) {
        EXPECT_TRUE(columns.insert(metric.column).second) << metric.column;
        LayerReadings readings;
        readings.*metric.value = 1.0;
        EXPECT_NE(readings, LayerReadings{});
        // CUPTI's names say what it gives in percent.
        const bool percent = std::string_view(metric.name).find(".pct") != std::string_view::npos;
        EXPECT_EQ(metric.measure, percent ? Measure::share : Measure::amount) << metric.column;
        EXPECT_DOUBLE_EQ(metric.in_column(50.0), percent ? 0.5 : 50.0) << metric.column;
        EXPECT_EQ(metric.absent_on.empty(), metric.absence.empty()) << metric.column;
    }
}

}  // namespace
}  // namespace hacscale::cupti
