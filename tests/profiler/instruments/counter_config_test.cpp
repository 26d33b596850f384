#include "profiler/instruments/cupti/counters.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <span>

#include "kernels/cuda/cupti/cupti_library.hpp"

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

// The table of docs/gpu.md.
struct Chip {
    const char* name;
    std::size_t throughput_passes;
};
constexpr std::array known_chips{Chip{"TU102", 5}, Chip{"GA100", 5}, Chip{"AD102", 6}, Chip{"GH100", 8},
                                 Chip{"GB202", 8}};
constexpr std::uint32_t cupti_of_the_table = 1300;  // 13.0; another one may schedule otherwise

// In one pass, the counters of a quotient are those of one run of the layer.
TEST_F(CounterConfigs, ReadTheStandardSetInOnePass) {
    for (const Chip& chip : known_chips) {
        SCOPED_TRACE(chip.name);
        const CounterConfig config = counter_config(cupti(), chip.name, CounterSet::standard);
        EXPECT_EQ(config.metrics.size(), 5U);
        EXPECT_EQ(config.names.size(), 7U);
        EXPECT_TRUE(config.reasons.empty());
        EXPECT_FALSE(config.image.empty());
        EXPECT_EQ(config.passes, 1U);
    }
}

// The reason why it is left out unless asked for.
TEST_F(CounterConfigs, NeedMorePassesForTheThroughput) {
    std::uint32_t version = 0;
    ASSERT_EQ(cupti().get_version(&version), CUPTI_SUCCESS);
    for (const Chip& chip : known_chips) {
        SCOPED_TRACE(chip.name);
        const CounterConfig config = counter_config(cupti(), chip.name, CounterSet::throughput);
        EXPECT_EQ(config.metrics.size(), 1U);
        EXPECT_GT(config.passes, 1U);
        if (version / 100 == cupti_of_the_table) {
            EXPECT_EQ(config.passes, chip.throughput_passes);
        }
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
            std::map<std::string, std::string> reasons;
            for (const CounterSet set : counter_sets({.sm_throughput = true})) {
                const CounterConfig config = counter_config(cupti(), chip, set);
                reasons.insert(config.reasons.begin(), config.reasons.end());
                if (set == CounterSet::standard) {
                    EXPECT_EQ(config.passes, 1U) << chip;
                }
            }
            for (const CounterMetric& metric : counter_metrics()) {
                const std::string column(metric.column);
                EXPECT_EQ(reasons.count(column), metric.absent(chip) ? 1U : 0U) << chip << " " << column;
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
        counter_config(cupti(), "XX999", CounterSet::standard);
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
        // CUPTI's names say what it gives in percent, and none is over the time of a range, most of which is idle.
        const std::string_view first = metric.names().front();
        const bool percent = first.find(".pct") != std::string_view::npos;
        EXPECT_EQ(metric.measure == Measure::percent || metric.measure == Measure::percent_of_busy, percent)
            << metric.column;
        EXPECT_EQ(first.find("elapsed"), std::string_view::npos) << metric.column;
        const std::vector<double> read{50.0, 50.0, 100.0};
        const double value = metric.in_column(std::span(read).first(metric.names().size()));
        EXPECT_DOUBLE_EQ(value, metric.column == "sm_busy"          ? 1.0
                                : metric.column == "sm_throughput"  ? 0.25
                                : metric.measure == Measure::amount ? 50.0
                                                                    : 0.5)
            << metric.column;
        EXPECT_EQ(metric.absent_on.empty(), metric.absence.empty()) << metric.column;
    }
}

}  // namespace
}  // namespace hacscale::cupti
