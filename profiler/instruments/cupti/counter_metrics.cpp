#include "profiler/instruments/cupti/counter_metrics.hpp"

#include <algorithm>
#include <array>

namespace hacscale::cupti {
namespace {

// Orin, Thor and GB10: processor and GPU share the memory.
constexpr std::array<std::string_view, 3> integrated_chips{"GA10B", "GB10B", "GB20B"};
constexpr std::string_view shared_memory =
    "this GPU has no memory of its own, and so no counters of it; l2_hit_rate tells how much left the chip";

// Cycles in which a multiprocessor has a warp: the mean over the multiprocessors, and of the busiest. Both come from
// one counter. Cycles in which all of them idle are in neither, so the host's time between the calls that open and
// close a layer's range does not enter the quotient. (CUPTI's percentages of "elapsed" cycles divide by that time.)
constexpr const char* active_mean = "sm__cycles_active.avg";
constexpr const char* active_max = "sm__cycles_active.max";

constexpr std::array metrics{
    CounterMetric{"occupancy_achieved",
                  {"sm__warps_active.avg.pct_of_peak_sustained_active"},
                  Measure::percent,
                  &LayerReadings::occupancy_achieved,
                  CounterSet::standard,
                  {},
                  {}},
    CounterMetric{"tensor_active",
                  {"sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active"},
                  Measure::percent,
                  &LayerReadings::tensor_active,
                  CounterSet::standard,
                  {},
                  {}},
    CounterMetric{"sm_busy",
                  {active_mean, active_max},
                  Measure::quotient,
                  &LayerReadings::sm_busy,
                  CounterSet::standard,
                  {},
                  {}},
    // Requests: hits and misses of sectors, lts__t_sectors_lookup_*, cannot be counted in one pass on any chip.
    CounterMetric{"l2_hit_rate",
                  {"lts__t_requests_lookup_hit.sum", "lts__t_requests_lookup_miss.sum"},
                  Measure::part,
                  &LayerReadings::l2_hit_rate,
                  CounterSet::standard,
                  {},
                  {}},
    CounterMetric{"dram_bytes",
                  {"dram__bytes.sum"},
                  Measure::amount,
                  &LayerReadings::dram_bytes,
                  CounterSet::standard,
                  integrated_chips,
                  shared_memory},
    CounterMetric{"sm_throughput",
                  {"sm__throughput.avg.pct_of_peak_sustained_active", active_mean, active_max},
                  Measure::percent_of_busy,
                  &LayerReadings::sm_throughput,
                  CounterSet::throughput,
                  {},
                  {}},
};

constexpr std::array sets{CounterSet::standard, CounterSet::throughput};

}  // namespace

std::span<const CounterSet> counter_sets(const InstrumentOptions& options) {
    return std::span(sets).first(options.sm_throughput ? 2 : 1);
}

std::span<const char* const> CounterMetric::names() const {
    const auto end = std::find(cupti_names.begin(), cupti_names.end(), nullptr);
    return {cupti_names.begin(), end};
}

double CounterMetric::in_column(std::span<const double> read) const {
    switch (measure) {
        case Measure::percent:
            return 0.01 * read[0];
        case Measure::quotient:
            return read[0] / read[1];
        case Measure::part:
            return read[0] / (read[0] + read[1]);
        case Measure::percent_of_busy:
            return 0.01 * read[0] * read[1] / read[2];
        case Measure::amount:
            break;
    }
    return read[0];
}

bool CounterMetric::absent(std::string_view chip) const {
    return std::find(absent_on.begin(), absent_on.end(), chip) != absent_on.end();
}

std::span<const CounterMetric> counter_metrics() {
    return metrics;
}

}  // namespace hacscale::cupti
