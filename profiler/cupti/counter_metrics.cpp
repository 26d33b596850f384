#include "profiler/cupti/counter_metrics.hpp"

#include <algorithm>
#include <array>

namespace hacscale::cupti {
namespace {

// Orin, Thor and GB10: processor and GPU share the memory.
constexpr std::array<std::string_view, 3> integrated_chips{"GA10B", "GB10B", "GB20B"};
constexpr std::string_view shared_memory =
    "this GPU has no memory of its own, and so no counters of it; l2_hit_rate tells how much left the chip";

constexpr std::array metrics{
    CounterMetric{"occupancy_achieved",
                  "sm__warps_active.avg.pct_of_peak_sustained_active",
                  Measure::share,
                  &LayerReadings::occupancy_achieved,
                  false,
                  {},
                  {}},
    CounterMetric{"tensor_active",
                  "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
                  Measure::share,
                  &LayerReadings::tensor_active,
                  false,
                  {},
                  {}},
    CounterMetric{"sm_busy",
                  "sm__cycles_active.avg.pct_of_peak_sustained_elapsed",
                  Measure::share,
                  &LayerReadings::sm_busy,
                  false,
                  {},
                  {}},
    CounterMetric{"l2_hit_rate",
                  "lts__t_sector_hit_rate.pct",
                  Measure::share,
                  &LayerReadings::l2_hit_rate,
                  false,
                  {},
                  {}},
    CounterMetric{"dram_bytes", "dram__bytes.sum", Measure::amount, &LayerReadings::dram_bytes, false,
                  integrated_chips, shared_memory},
    CounterMetric{"sm_throughput",
                  "sm__throughput.avg.pct_of_peak_sustained_elapsed",
                  Measure::share,
                  &LayerReadings::sm_throughput,
                  true,
                  {},
                  {}},
};

}  // namespace

bool CounterMetric::absent(std::string_view chip) const {
    return std::find(absent_on.begin(), absent_on.end(), chip) != absent_on.end();
}

std::span<const CounterMetric> counter_metrics() {
    return metrics;
}

}  // namespace hacscale::cupti
