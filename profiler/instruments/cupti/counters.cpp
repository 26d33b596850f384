#include "profiler/instruments/cupti/counters.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "kernels/cuda/cupti/cupti_library.hpp"

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

CUptiResult add_metrics(const CuptiLibrary& cupti, const ProfilerHost& host,
                        std::vector<const char*>& names) {
    CUpti_Profiler_Host_ConfigAddMetrics_Params add{};
    add.structSize = CUpti_Profiler_Host_ConfigAddMetrics_Params_STRUCT_SIZE;
    add.pHostObject = host.get();
    add.ppMetricNames = names.data();
    add.numMetrics = names.size();
    return cupti.host_config_add_metrics(&add);
}

// Whether CUPTI takes the metric alone; one that it refuses would spoil a list.
CUptiResult try_metric(const CuptiLibrary& cupti, const std::string& chip, const std::uint8_t* availability,
                       const char* name) {
    const ProfilerHost host(cupti, chip, availability);
    std::vector<const char*> names{name};
    return add_metrics(cupti, host, names);
}

std::vector<std::uint8_t> config_image(const CuptiLibrary& cupti, const ProfilerHost& host) {
    CUpti_Profiler_Host_GetConfigImageSize_Params size{};
    size.structSize = CUpti_Profiler_Host_GetConfigImageSize_Params_STRUCT_SIZE;
    size.pHostObject = host.get();
    check(cupti, cupti.host_get_config_image_size(&size), "cuptiProfilerHostGetConfigImageSize");
    std::vector<std::uint8_t> image(size.configImageSize);
    CUpti_Profiler_Host_GetConfigImage_Params get{};
    get.structSize = CUpti_Profiler_Host_GetConfigImage_Params_STRUCT_SIZE;
    get.pHostObject = host.get();
    get.configImageSize = image.size();
    get.pConfigImage = image.data();
    check(cupti, cupti.host_get_config_image(&get), "cuptiProfilerHostGetConfigImage");
    return image;
}

std::size_t passes_of(const CuptiLibrary& cupti, std::vector<std::uint8_t>& image) {
    CUpti_Profiler_Host_GetNumOfPasses_Params passes{};
    passes.structSize = CUpti_Profiler_Host_GetNumOfPasses_Params_STRUCT_SIZE;
    passes.configImageSize = image.size();
    passes.pConfigImage = image.data();
    check(cupti, cupti.host_get_num_of_passes(&passes), "cuptiProfilerHostGetNumOfPasses");
    return passes.numOfPasses;
}

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

ProfilerHost::ProfilerHost(const CuptiLibrary& cupti, const std::string& chip,
                           const std::uint8_t* availability)
    : cupti_(cupti) {
    CUpti_Profiler_Host_Initialize_Params initialize{};
    initialize.structSize = CUpti_Profiler_Host_Initialize_Params_STRUCT_SIZE;
    initialize.profilerType = CUPTI_PROFILER_TYPE_RANGE_PROFILER;
    initialize.pChipName = chip.c_str();
    initialize.pCounterAvailabilityImage = availability;
    check(cupti_, cupti_.host_initialize(&initialize), "cuptiProfilerHostInitialize for " + chip);
    host_ = initialize.pHostObject;
}

ProfilerHost::~ProfilerHost() {
    CUpti_Profiler_Host_Deinitialize_Params deinitialize{};
    deinitialize.structSize = CUpti_Profiler_Host_Deinitialize_Params_STRUCT_SIZE;
    deinitialize.pHostObject = host_;
    cupti_.host_deinitialize(&deinitialize);
}

CounterConfig counter_config(const CuptiLibrary& cupti, const std::string& chip, CounterSet set,
                             const std::uint8_t* availability) {
    CounterConfig config;
    for (const CounterMetric& metric : counter_metrics()) {
        if (metric.set != set) continue;
        const std::string column(metric.column);
        const std::span<const char* const> names = metric.names();
        const auto refused = std::find_if(names.begin(), names.end(), [&](const char* name) {
            return try_metric(cupti, chip, availability, name) != CUPTI_SUCCESS;
        });
        if (metric.absent(chip)) {
            config.reasons[column] = metric.absence;
        } else if (refused != names.end()) {
            config.reasons[column] = std::string("CUPTI has no ") + *refused + " on " + chip;
        } else {
            config.metrics.push_back(&metric);
            config.names.insert(config.names.end(), names.begin(), names.end());
        }
    }
    if (config.metrics.empty()) return config;
    const ProfilerHost host(cupti, chip, availability);
    check(cupti, add_metrics(cupti, host, config.names), "cuptiProfilerHostConfigAddMetrics");
    config.image = config_image(cupti, host);
    config.passes = passes_of(cupti, config.image);
    return config;
}

}  // namespace hacscale::cupti
