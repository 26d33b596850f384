#include "profiler/instruments/nvml/nvml_library.hpp"

#include <fmt/format.h>

#include "kernels/cuda/symbol_reader.hpp"

namespace hacscale::nvml {

std::string NvmlLibrary::explain(Return result, const CallSite& work) const {
    const char* text = error_string == nullptr ? nullptr : error_string(result);
    if (text != nullptr) return fmt::format("{} failed: {}", work.what, text);
    return fmt::format("{} failed with NVML's error {} ({})", work.what, result, text_of(work.where));
}

NvmlLibrary open_nvml() {
    NvmlLibrary nvml;
    const cuda::Library library =
        cuda::open_library("libnvidia-ml.so.1", "install NVIDIA's driver, which it is part of");
    if (library.handle == nullptr) {
        nvml.reason = library.reason;
        return nvml;
    }
    cuda::SymbolReader symbols(library);
    symbols.read("nvmlInit_v2", nvml.init);
    symbols.read("nvmlErrorString", nvml.error_string);
    symbols.read("nvmlDeviceGetHandleByPciBusId_v2", nvml.handle_by_pci_bus_id);
    symbols.read("nvmlDeviceGetHandleByUUID", nvml.handle_by_uuid);
    symbols.read_if_there("nvmlDeviceGetClockInfo", nvml.clock_info);
    symbols.read_if_there("nvmlDeviceGetTemperature", nvml.temperature);
    symbols.read_if_there("nvmlDeviceGetPowerUsage", nvml.power_usage);
    symbols.read_if_there("nvmlDeviceGetTotalEnergyConsumption", nvml.total_energy);
    symbols.read_if_there("nvmlDeviceGetViolationStatus", nvml.violation_status);
    symbols.read_if_there("nvmlDeviceGetMigMode", nvml.mig_mode);
    // The name it has had since driver 535, and the one before.
    symbols.read_if_there("nvmlDeviceGetCurrentClocksEventReasons", nvml.clock_event_reasons);
    if (nvml.clock_event_reasons == nullptr) {
        symbols.read_if_there("nvmlDeviceGetCurrentClocksThrottleReasons", nvml.clock_event_reasons);
    }
    if (!symbols.missing().empty()) {
        nvml.reason =
            library.path.string() + " lacks " + symbols.missing() + "; install a newer NVIDIA driver";
        return nvml;
    }
    if (const Return result = nvml.init(); result != success) {
        nvml.reason = nvml.explain(result, "starting NVML");
    }
    return nvml;
}

const NvmlLibrary& nvml() {
    static const NvmlLibrary opened = open_nvml();
    return opened;
}

}  // namespace hacscale::nvml
