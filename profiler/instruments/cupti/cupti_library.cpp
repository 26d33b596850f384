#include "profiler/instruments/cupti/cupti_library.hpp"

#include <fmt/format.h>

#include "profiler/instruments/driver/symbol_reader.hpp"

namespace hacscale::cupti {
namespace {

// libcupti's major version is the toolkit's since CUDA 11.
constexpr int toolkit_major = CUDA_VERSION / 1000;

// CUPTI_API_VERSION is 130001 for CUDA 13.0, first update; before CUDA 12.6 it was a running number.
constexpr std::uint32_t major_of(std::uint32_t api_version) {
    return api_version / 10000;
}

void read_symbols(driver::SymbolReader& symbols, CuptiLibrary& cupti) {
    symbols.read("cuptiGetVersion", cupti.get_version);
    symbols.read("cuptiGetResultString", cupti.get_result_string);
    symbols.read("cuptiFinalize", cupti.finalize);
    symbols.read("cuptiActivityRegisterCallbacks", cupti.activity_register_callbacks);
    symbols.read("cuptiActivityEnable", cupti.activity_enable);
    symbols.read("cuptiActivityDisable", cupti.activity_disable);
    symbols.read("cuptiActivityFlushAll", cupti.activity_flush_all);
    symbols.read("cuptiActivityGetNextRecord", cupti.activity_get_next_record);
    symbols.read("cuptiActivityGetNumDroppedRecords", cupti.activity_get_num_dropped_records);
    symbols.read("cuptiActivityPushExternalCorrelationId", cupti.activity_push_external_id);
    symbols.read("cuptiActivityPopExternalCorrelationId", cupti.activity_pop_external_id);
    symbols.read("cuptiProfilerHostInitialize", cupti.host_initialize);
    symbols.read("cuptiProfilerHostDeinitialize", cupti.host_deinitialize);
    symbols.read("cuptiProfilerHostGetSupportedChips", cupti.host_get_supported_chips);
    symbols.read("cuptiProfilerHostConfigAddMetrics", cupti.host_config_add_metrics);
    symbols.read("cuptiProfilerHostGetConfigImageSize", cupti.host_get_config_image_size);
    symbols.read("cuptiProfilerHostGetConfigImage", cupti.host_get_config_image);
    symbols.read("cuptiProfilerHostGetNumOfPasses", cupti.host_get_num_of_passes);
    symbols.read("cuptiProfilerHostEvaluateToGpuValues", cupti.host_evaluate_to_gpu_values);
    symbols.read("cuptiProfilerInitialize", cupti.profiler_initialize);
    symbols.read("cuptiProfilerDeInitialize", cupti.profiler_deinitialize);
    symbols.read("cuptiProfilerDeviceSupported", cupti.profiler_device_supported);
    symbols.read("cuptiProfilerGetCounterAvailability", cupti.profiler_get_counter_availability);
    symbols.read("cuptiDeviceGetChipName", cupti.device_get_chip_name);
    symbols.read("cuptiRangeProfilerEnable", cupti.range_enable);
    symbols.read("cuptiRangeProfilerDisable", cupti.range_disable);
    symbols.read("cuptiRangeProfilerGetCounterDataSize", cupti.range_get_counter_data_size);
    symbols.read("cuptiRangeProfilerCounterDataImageInitialize", cupti.range_counter_data_initialize);
    symbols.read("cuptiRangeProfilerSetConfig", cupti.range_set_config);
    symbols.read("cuptiRangeProfilerStart", cupti.range_start);
    symbols.read("cuptiRangeProfilerStop", cupti.range_stop);
    symbols.read("cuptiRangeProfilerPushRange", cupti.range_push);
    symbols.read("cuptiRangeProfilerPopRange", cupti.range_pop);
    symbols.read("cuptiRangeProfilerDecodeData", cupti.range_decode);
    symbols.read("cuptiRangeProfilerGetCounterDataInfo", cupti.range_get_counter_data_info);
    symbols.read("cuptiRangeProfilerCounterDataGetRangeInfo", cupti.range_get_range_info);
}

}  // namespace

CuptiLibrary open_cupti() {
    CuptiLibrary cupti;
    const std::string advice = fmt::format(
        "install CUPTI of CUDA {0} (part of the CUDA toolkit, or the Python package nvidia-cuda-cupti)",
        toolkit_major);
    const cuda::Library library = cuda::open_library(fmt::format("libcupti.so.{}", toolkit_major), advice);
    if (library.handle == nullptr) {
        cupti.reason = library.reason;
        return cupti;
    }
    cupti.path = library.path.string();
    driver::SymbolReader symbols(library);
    read_symbols(symbols, cupti);
    std::uint32_t version = 0;
    if (cupti.get_version == nullptr || cupti.get_version(&version) != CUPTI_SUCCESS) {
        cupti.reason = fmt::format("{} does not tell its version; {}", cupti.path, advice);
    } else if (major_of(version) != major_of(CUPTI_API_VERSION)) {
        cupti.reason = fmt::format("{} is CUPTI {}, and this program was built for {}; {}", cupti.path,
                                   version, CUPTI_API_VERSION, advice);
    } else if (!symbols.missing().empty()) {
        cupti.reason = fmt::format("{} lacks {}; {}", cupti.path, symbols.missing(), advice);
    }
    return cupti;
}

const CuptiLibrary& cupti() {
    static const CuptiLibrary opened = open_cupti();
    return opened;
}

}  // namespace hacscale::cupti
