#include "kernels/cuda/cupti/cupti_library.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "kernels/cuda/symbol_reader.hpp"

namespace hacscale::cupti {
namespace {

// libcupti's major version is the toolkit's since CUDA 11.
constexpr int toolkit_major = CUDA_VERSION / 1000;

// CUPTI_API_VERSION is 130001 for CUDA 13.0, first update; before CUDA 12.6 it was a running number.
constexpr std::uint32_t major_of(std::uint32_t api_version) {
    return api_version / 10000;
}

void read_symbols(cuda::SymbolReader& symbols, CuptiLibrary& cupti) {
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

constexpr std::string_view virtual_gpu =
    "counters are not open to this virtual GPU; have the host allow profiling for it (vGPU parameter "
    "enable_profiling=1)";
constexpr std::string_view confidential =
    "counters cannot be read while confidential computing is on; switch it off, or measure on a GPU without "
    "it";
constexpr std::string_view mining = "this GPU is a mining processor (CMP), which has no counters to read";
constexpr std::string_view linked = "counters cannot be read while SLI is on; switch it off";
constexpr std::string_view subsystem =
    "counters cannot be read inside the Windows Subsystem for Linux in this configuration; allow them in the "
    "NVIDIA control panel (Developer, Manage GPU Performance Counters), or measure on Linux itself";
constexpr std::string_view no_driver =
    "CUPTI cannot work with this driver or device, and does not say why; check with nvidia-smi that the "
    "driver "
    "is running and supports this CUDA version";
constexpr std::string_view unknown_chip = "this build's CUPTI does not know this GPU; install a newer CUPTI";
constexpr std::string_view other_profiler =
    "another profiler is attached to this process or this GPU (Nsight, DCGM, CUPTI of another library); end "
    "it and run again";

// The failures that a user can do something about.
constexpr std::array<std::pair<CUptiResult, std::string_view>, 15> advice{{
    {CUPTI_ERROR_INSUFFICIENT_PRIVILEGES,
     "no privilege to read the GPU's counters; run as root or with CAP_SYS_ADMIN, or load the driver with "
     "NVreg_RestrictProfilingToAdminUsers=0 (in /etc/modprobe.d, then reload the driver)"},
    {CUPTI_ERROR_VIRTUALIZED_DEVICE_INSUFFICIENT_PRIVILEGES, virtual_gpu},
    {CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED, virtual_gpu},
    {CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED, other_profiler},
    {CUPTI_ERROR_DISABLED, other_profiler},
    {CUPTI_ERROR_HARDWARE_BUSY, other_profiler},
    {CUPTI_ERROR_CONFIDENTIAL_COMPUTING_NOT_SUPPORTED, confidential},
    {CUPTI_ERROR_MIG_DEVICE_NOT_SUPPORTED,
     "CUPTI does not read counters of a part of a GPU (MIG); measure on a whole GPU"},
    {CUPTI_ERROR_CMP_DEVICE_NOT_SUPPORTED, mining},
    {CUPTI_ERROR_SLI_DEVICE_NOT_SUPPORTED, linked},
    {CUPTI_ERROR_WSL_DEVICE_NOT_SUPPORTED, subsystem},
    {CUPTI_ERROR_INVALID_CHIP_NAME, unknown_chip},
    {CUPTI_ERROR_NOT_INITIALIZED, no_driver},
    {CUPTI_ERROR_UNKNOWN, no_driver},
    {CUPTI_ERROR_NOT_SUPPORTED,
     "CUPTI does not support this on this GPU or driver; install a newer driver and CUPTI, and see "
     "docs/gpu.md"},
}};

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
    cuda::SymbolReader symbols(library);
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

std::string explain(const CuptiLibrary& cupti, CUptiResult result, const CallSite& call) {
    for (const auto& [code, text] : advice) {
        if (code == result) return fmt::format("{}: {}", call.what, text);
    }
    const char* text = nullptr;
    if (cupti.get_result_string != nullptr && cupti.get_result_string(result, &text) == CUPTI_SUCCESS &&
        text != nullptr) {
        return fmt::format("{}: {} ({})", call.what, text, text_of(call.where));
    }
    return fmt::format("{}: CUPTI's error {} ({})", call.what, static_cast<int>(result), text_of(call.where));
}

void check(const CuptiLibrary& cupti, CUptiResult result, const CallSite& call) {
    if (result != CUPTI_SUCCESS) throw CuptiFailure(explain(cupti, result, call));
}

std::string unsupported_reason(const CUpti_Profiler_DeviceSupported_Params& support) {
    if (support.isSupported == CUPTI_PROFILER_CONFIGURATION_SUPPORTED) return "";
    const std::array<std::pair<CUpti_Profiler_Support_Level, std::string_view>, 6> levels{{
        {support.architecture, unknown_chip},
        {support.confidentialCompute, confidential},
        {support.vGpu, virtual_gpu},
        {support.cmp, mining},
        {support.sli, linked},
        {support.wsl, subsystem},
    }};
    for (const auto& [level, text] : levels) {
        if (level == CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED ||
            level == CUPTI_PROFILER_CONFIGURATION_DISABLED) {
            return std::string(text);
        }
    }
    return "CUPTI says that counters cannot be read on this GPU, and not why";
}

}  // namespace hacscale::cupti
