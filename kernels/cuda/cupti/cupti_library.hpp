// CUPTI's functions, from libcupti opened at run time. Its headers are used for types only.
#pragma once

#include <cupti.h>
#include <cupti_profiler_host.h>
#include <cupti_profiler_target.h>
#include <cupti_range_profiler.h>
#include <cupti_target.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cupti {

struct CuptiLibrary {
    decltype(&cuptiGetVersion) get_version = nullptr;
    decltype(&cuptiGetResultString) get_result_string = nullptr;

    decltype(&cuptiFinalize) finalize = nullptr;

    // Kernel records.
    decltype(&cuptiActivityRegisterCallbacks) activity_register_callbacks = nullptr;
    decltype(&cuptiActivityEnable) activity_enable = nullptr;
    decltype(&cuptiActivityDisable) activity_disable = nullptr;
    decltype(&cuptiActivityFlushAll) activity_flush_all = nullptr;
    decltype(&cuptiActivityGetNextRecord) activity_get_next_record = nullptr;
    decltype(&cuptiActivityGetNumDroppedRecords) activity_get_num_dropped_records = nullptr;
    decltype(&cuptiActivityPushExternalCorrelationId) activity_push_external_id = nullptr;
    decltype(&cuptiActivityPopExternalCorrelationId) activity_pop_external_id = nullptr;

    // Counters: which there are and how to schedule them, with no device.
    decltype(&cuptiProfilerHostInitialize) host_initialize = nullptr;
    decltype(&cuptiProfilerHostDeinitialize) host_deinitialize = nullptr;
    decltype(&cuptiProfilerHostGetSupportedChips) host_get_supported_chips = nullptr;
    decltype(&cuptiProfilerHostConfigAddMetrics) host_config_add_metrics = nullptr;
    decltype(&cuptiProfilerHostGetConfigImageSize) host_get_config_image_size = nullptr;
    decltype(&cuptiProfilerHostGetConfigImage) host_get_config_image = nullptr;
    decltype(&cuptiProfilerHostGetNumOfPasses) host_get_num_of_passes = nullptr;
    decltype(&cuptiProfilerHostEvaluateToGpuValues) host_evaluate_to_gpu_values = nullptr;

    // Counters: collecting them on a device.
    decltype(&cuptiProfilerInitialize) profiler_initialize = nullptr;
    decltype(&cuptiProfilerDeInitialize) profiler_deinitialize = nullptr;
    decltype(&cuptiProfilerDeviceSupported) profiler_device_supported = nullptr;
    decltype(&cuptiProfilerGetCounterAvailability) profiler_get_counter_availability = nullptr;
    decltype(&cuptiDeviceGetChipName) device_get_chip_name = nullptr;
    decltype(&cuptiRangeProfilerEnable) range_enable = nullptr;
    decltype(&cuptiRangeProfilerDisable) range_disable = nullptr;
    decltype(&cuptiRangeProfilerGetCounterDataSize) range_get_counter_data_size = nullptr;
    decltype(&cuptiRangeProfilerCounterDataImageInitialize) range_counter_data_initialize = nullptr;
    decltype(&cuptiRangeProfilerSetConfig) range_set_config = nullptr;
    decltype(&cuptiRangeProfilerStart) range_start = nullptr;
    decltype(&cuptiRangeProfilerStop) range_stop = nullptr;
    decltype(&cuptiRangeProfilerPushRange) range_push = nullptr;
    decltype(&cuptiRangeProfilerPopRange) range_pop = nullptr;
    decltype(&cuptiRangeProfilerDecodeData) range_decode = nullptr;
    decltype(&cuptiRangeProfilerGetCounterDataInfo) range_get_counter_data_info = nullptr;
    decltype(&cuptiRangeProfilerCounterDataGetRangeInfo) range_get_range_info = nullptr;

    std::string path;    // of the file that was opened
    std::string reason;  // why it cannot be used, and what to do; empty when it can
    bool usable() const { return reason.empty(); }
};

// Opens the library again.
CuptiLibrary open_cupti();
// The same, once a process.
const CuptiLibrary& cupti();

// CUPTI's return codes in words that say what to do. Inside this folder a failed call is an exception; it
// leaves as the reason of the cells that it leaves empty.
class CuptiFailure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What is wrong and what to do: "cuptiRangeProfilerEnable: no privilege to read counters; ...". A failure that no user can
// do anything about names the place of the call: "cuptiActivityFlushAll: ... (profiler/.../activity_trace.cpp:130)".
std::string explain(const CuptiLibrary& cupti, CUptiResult result, const CallSite& call);

// Throws CuptiFailure with explain()'s text unless the call went well.
void check(const CuptiLibrary& cupti, CUptiResult result, const CallSite& call);

// Why cuptiProfilerDeviceSupported() says no, in the same words; empty when it says yes.
std::string unsupported_reason(const CUpti_Profiler_DeviceSupported_Params& support);

}  // namespace hacscale::cupti
