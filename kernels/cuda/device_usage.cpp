#include "kernels/cuda/cuda_device.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "kernels/cuda/libraries.hpp"

namespace hacscale::cuda {
namespace {

// NVML's interface as in NVIDIA's API reference; the toolkit's header is not needed to build.
using NvmlReturn = int;
constexpr NvmlReturn nvml_success = 0;
constexpr NvmlReturn nvml_insufficient_size = 7;
struct NvmlDevice;

// nvmlMemory_v2_t: unlike the first form, `used` is without what the driver reserves.
struct NvmlMemory {
    unsigned version = sizeof(NvmlMemory) | (2U << 24U);
    unsigned long long total = 0;
    unsigned long long reserved = 0;
    unsigned long long free = 0;
    unsigned long long used = 0;
};

// nvmlProcessInfo_t.
struct NvmlProcess {
    unsigned pid = 0;
    unsigned long long used_bytes = 0;
    unsigned gpu_instance = 0;
    unsigned compute_instance = 0;
};

struct Nvml {
    NvmlReturn (*init)() = nullptr;
    const char* (*error_string)(NvmlReturn) = nullptr;
    NvmlReturn (*by_pci_bus_id)(const char*, NvmlDevice**) = nullptr;
    NvmlReturn (*memory)(NvmlDevice*, NvmlMemory*) = nullptr;
    NvmlReturn (*processes)(NvmlDevice*, unsigned*, NvmlProcess*) = nullptr;
    std::string reason;  // why it cannot be asked

    std::string explain(NvmlReturn result, const std::string& work) const {
        const char* text = error_string(result);
        return fmt::format("{} failed: {}", work, text != nullptr ? text : "unknown error of NVML");
    }
};

template <typename Function>
void resolve_nvml(const Library& library, const char* name, Function& function, std::string& missing) {
    function = reinterpret_cast<Function>(library.symbol(name));
    if (function == nullptr) missing += (missing.empty() ? "" : ", ") + std::string(name);
}

Nvml opened_nvml() {
    Nvml nvml;
    const Library library =
        open_library("libnvidia-ml.so.1",
                     "it is part of the NVIDIA driver; a container gets it with the driver capability "
                     "'utility' (NVIDIA_DRIVER_CAPABILITIES=compute,utility)");
    if (library.handle == nullptr) {
        nvml.reason = library.reason;
        return nvml;
    }
    std::string missing;
    resolve_nvml(library, "nvmlInit_v2", nvml.init, missing);
    resolve_nvml(library, "nvmlErrorString", nvml.error_string, missing);
    resolve_nvml(library, "nvmlDeviceGetHandleByPciBusId_v2", nvml.by_pci_bus_id, missing);
    resolve_nvml(library, "nvmlDeviceGetMemoryInfo_v2", nvml.memory, missing);
    resolve_nvml(library, "nvmlDeviceGetComputeRunningProcesses_v3", nvml.processes, missing);
    if (!missing.empty()) {
        nvml.reason =
            fmt::format("{} lacks {}; install a newer NVIDIA driver", library.path.string(), missing);
    } else if (const NvmlReturn result = nvml.init(); result != nvml_success) {
        nvml.reason = nvml.explain(result, "starting NVML");
    }
    return nvml;
}

// This process may have a context by now; it is none of the others.
std::vector<unsigned> other_processes(const std::vector<NvmlProcess>& processes) {
    std::vector<unsigned> pids;
    for (const NvmlProcess& process : processes) {
        if (process.pid != static_cast<unsigned>(getpid())) pids.push_back(process.pid);
    }
    return pids;
}

}  // namespace

DeviceUsage device_usage(const std::string& pci_bus_id) {
    static const Nvml nvml = opened_nvml();  // never shut down: it ends with the process
    DeviceUsage usage;
    usage.reason = nvml.reason;
    if (!usage.reason.empty()) return usage;
    NvmlDevice* device = nullptr;
    if (const NvmlReturn result = nvml.by_pci_bus_id(pci_bus_id.c_str(), &device); result != nvml_success) {
        usage.reason = nvml.explain(result, "finding the GPU at " + pci_bus_id + " in NVML");
        return usage;
    }
    NvmlMemory memory;
    if (const NvmlReturn result = nvml.memory(device, &memory); result != nvml_success) {
        usage.reason = nvml.explain(result, "reading its memory from NVML");
    } else {
        usage.used_bytes = static_cast<std::int64_t>(memory.used);
    }
    std::vector<NvmlProcess> processes(64);
    NvmlReturn result = nvml_insufficient_size;
    while (result == nvml_insufficient_size) {
        auto count = static_cast<unsigned>(processes.size());
        result = nvml.processes(device, &count, processes.data());
        processes.resize(result == nvml_insufficient_size ? 2 * processes.size() + count : count);
    }
    if (result != nvml_success) {
        usage.reason = nvml.explain(result, "reading its processes from NVML");
    } else {
        usage.pids = other_processes(processes);
    }
    return usage;
}

}  // namespace hacscale::cuda
