#include "tests/profiler/instruments/fake_cupti.hpp"

#include <cstring>
#include <utility>

namespace hacscale::tests {
namespace {

int host = 0;
int profiler = 0;
CUpti_BuffersCallbackRequestFunc request = nullptr;
CUpti_BuffersCallbackCompleteFunc complete = nullptr;

CUptiResult called(const char* name) {
    FakeCupti& fake = fake_cupti();
    fake.calls.push_back(name);
    return fake.failing_call == name ? fake.failure : CUPTI_SUCCESS;
}

void give_activity(cupti::CuptiLibrary& library) {
    library.activity_register_callbacks = [](CUpti_BuffersCallbackRequestFunc requested,
                                             CUpti_BuffersCallbackCompleteFunc completed) {
        request = requested;
        complete = completed;
        return CUPTI_SUCCESS;
    };
    library.activity_enable = [](CUpti_ActivityKind) {
        if (fake_cupti().failing_call == "activity_enable") return fake_cupti().failure;
        ++fake_cupti().enabled_activities;
        return CUPTI_SUCCESS;
    };
    library.activity_disable = [](CUpti_ActivityKind) {
        --fake_cupti().enabled_activities;
        return CUPTI_SUCCESS;
    };
    library.activity_flush_all = [](std::uint32_t) {
        std::uint8_t* buffer = nullptr;
        std::size_t size = 0;
        std::size_t max_records = 0;
        request(&buffer, &size, &max_records);
        const std::span<std::uint8_t> records = fake_cupti().records.span();
        if (!records.empty()) std::memcpy(buffer, records.data(), records.size());
        complete(nullptr, 0, buffer, size, records.size());
        fake_cupti().records = {};
        return CUPTI_SUCCESS;
    };
    library.activity_get_num_dropped_records = [](CUcontext, std::uint32_t, std::size_t* dropped) {
        *dropped = std::exchange(fake_cupti().dropped_records, 0);
        return CUPTI_SUCCESS;
    };
    library.activity_push_external_id = [](CUpti_ExternalCorrelationKind, std::uint64_t id) {
        fake_cupti().external_ids.push_back(id);
        return CUPTI_SUCCESS;
    };
    library.activity_pop_external_id = [](CUpti_ExternalCorrelationKind, std::uint64_t* id) {
        *id = fake_cupti().external_ids.back();
        fake_cupti().external_ids.pop_back();
        return CUPTI_SUCCESS;
    };
}

void give_host(cupti::CuptiLibrary& library) {
    library.host_initialize = [](CUpti_Profiler_Host_Initialize_Params* params) {
        params->pHostObject = reinterpret_cast<CUpti_Profiler_Host_Object*>(&host);
        return CUPTI_SUCCESS;
    };
    library.host_deinitialize = [](CUpti_Profiler_Host_Deinitialize_Params*) { return CUPTI_SUCCESS; };
    library.host_config_add_metrics = [](CUpti_Profiler_Host_ConfigAddMetrics_Params*) {
        return CUPTI_SUCCESS;
    };
    library.host_get_config_image_size = [](CUpti_Profiler_Host_GetConfigImageSize_Params* params) {
        params->configImageSize = 16;
        return CUPTI_SUCCESS;
    };
    library.host_get_config_image = [](CUpti_Profiler_Host_GetConfigImage_Params*) { return CUPTI_SUCCESS; };
    library.host_get_num_of_passes = [](CUpti_Profiler_Host_GetNumOfPasses_Params* params) {
        params->numOfPasses = fake_cupti().passes;
        return CUPTI_SUCCESS;
    };
    library.host_evaluate_to_gpu_values = [](CUpti_Profiler_Host_EvaluateToGpuValues_Params* params) {
        for (std::size_t i = 0; i < params->numMetrics; ++i) {
            const auto named = fake_cupti().values.find(params->ppMetricNames[i]);
            params->pMetricValues[i] = named != fake_cupti().values.end()
                                           ? named->second
                                           : fake_cupti().value + static_cast<double>(params->rangeIndex);
        }
        return CUPTI_SUCCESS;
    };
}

void give_device(cupti::CuptiLibrary& library) {
    library.profiler_initialize = [](CUpti_Profiler_Initialize_Params*) { return called("initialize"); };
    library.profiler_deinitialize = [](CUpti_Profiler_DeInitialize_Params*) {
        return called("deinitialize");
    };
    library.finalize = [] { return called("finalize"); };
    library.profiler_device_supported = [](CUpti_Profiler_DeviceSupported_Params* params) {
        params->isSupported = CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
        return CUPTI_SUCCESS;
    };
    library.profiler_get_counter_availability = [](CUpti_Profiler_GetCounterAvailability_Params* params) {
        params->counterAvailabilityImageSize = 8;
        return CUPTI_SUCCESS;
    };
    library.device_get_chip_name = [](CUpti_Device_GetChipName_Params* params) {
        params->pChipName = "GH100";
        return CUPTI_SUCCESS;
    };
}

void give_ranges(cupti::CuptiLibrary& library) {
    library.range_enable = [](CUpti_RangeProfiler_Enable_Params* params) {
        const CUptiResult result = called("enable");
        if (result != CUPTI_SUCCESS) return result;
        params->pRangeProfilerObject = reinterpret_cast<CUpti_RangeProfiler_Object*>(&profiler);
        fake_cupti().enabled = true;
        return CUPTI_SUCCESS;
    };
    library.range_disable = [](CUpti_RangeProfiler_Disable_Params*) {
        fake_cupti().enabled = false;
        return called("disable");
    };
    library.range_get_counter_data_size = [](CUpti_RangeProfiler_GetCounterDataSize_Params* params) {
        params->counterDataSize = 64;
        return CUPTI_SUCCESS;
    };
    library.range_counter_data_initialize = [](CUpti_RangeProfiler_CounterDataImage_Initialize_Params*) {
        return called("counter data");
    };
    library.range_set_config = [](CUpti_RangeProfiler_SetConfig_Params* params) {
        fake_cupti().passes_run = 0;
        fake_cupti().ranges.clear();
        const bool sound = params->range == CUPTI_UserRange && params->replayMode == CUPTI_UserReplay &&
                           params->numNestingLevels == 1 && params->minNestingLevel == 1;
        return sound ? called("config") : CUPTI_ERROR_INVALID_PARAMETER;
    };
    library.range_start = [](CUpti_RangeProfiler_Start_Params*) { return called("start"); };
    library.range_stop = [](CUpti_RangeProfiler_Stop_Params* params) {
        params->isAllPassSubmitted = ++fake_cupti().passes_run >= fake_cupti().passes ? 1 : 0;
        return called("stop");
    };
    library.range_push = [](CUpti_RangeProfiler_PushRange_Params* params) {
        if (fake_cupti().passes_run == 0) fake_cupti().ranges.emplace_back(params->pRangeName);
        return called("push");
    };
    library.range_pop = [](CUpti_RangeProfiler_PopRange_Params*) { return called("pop"); };
    library.range_decode = [](CUpti_RangeProfiler_DecodeData_Params*) { return called("decode"); };
    library.range_get_counter_data_info = [](CUpti_RangeProfiler_GetCounterDataInfo_Params* params) {
        params->numTotalRanges = fake_cupti().ranges.size() - fake_cupti().dropped_ranges;
        return CUPTI_SUCCESS;
    };
    library.range_get_range_info = [](CUpti_RangeProfiler_CounterData_GetRangeInfo_Params* params) {
        params->rangeName = fake_cupti().ranges[params->rangeIndex].c_str();
        return CUPTI_SUCCESS;
    };
}

}  // namespace

void FakeCupti::launch(const char* name, std::uint64_t duration_ns) {
    if (enabled_activities == 0) return;
    ++correlation;
    if (!external_ids.empty()) records.add_correlation(external_ids.back(), correlation);
    records.add_call(correlation);
    records.add_kernel(correlation, name, 1000, 1000 + duration_ns);
}

FakeCupti& fake_cupti() {
    static FakeCupti fake;
    return fake;
}

cupti::CuptiLibrary make_fake_cupti() {
    fake_cupti() = FakeCupti{};
    cupti::CuptiLibrary library;
    library.activity_get_next_record = cupti::cupti().activity_get_next_record;
    give_activity(library);
    give_host(library);
    give_device(library);
    give_ranges(library);
    return library;
}

}  // namespace hacscale::tests
