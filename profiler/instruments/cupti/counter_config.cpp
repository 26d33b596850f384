#include "profiler/instruments/cupti/counter_config.hpp"

#include <algorithm>
#include <span>

#include "profiler/instruments/cupti/cupti_error.hpp"

namespace hacscale::cupti {
namespace {

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
