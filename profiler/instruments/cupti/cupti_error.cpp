#include "profiler/instruments/cupti/cupti_error.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace hacscale::cupti {
namespace {

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

std::string explain(const CuptiLibrary& cupti, CUptiResult result, std::string_view call) {
    for (const auto& [code, text] : advice) {
        if (code == result) return fmt::format("{}: {}", call, text);
    }
    const char* text = nullptr;
    if (cupti.get_result_string != nullptr && cupti.get_result_string(result, &text) == CUPTI_SUCCESS &&
        text != nullptr) {
        return fmt::format("{}: {}", call, text);
    }
    return fmt::format("{}: CUPTI's error {}", call, static_cast<int>(result));
}

void check(const CuptiLibrary& cupti, CUptiResult result, std::string_view call) {
    if (result != CUPTI_SUCCESS) throw CuptiFailure(explain(cupti, result, call));
}

std::string refusal_of(const CUpti_Profiler_DeviceSupported_Params& support) {
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
