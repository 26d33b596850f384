// Who uses a GPU now: asked of NVML, which needs no context on it. NVML is opened at run time; the profiler, which
// kernels/ may not know, has its own table of the functions that read clocks and energy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hacscale::cuda {

struct DeviceUsage {
    std::optional<std::int64_t> used_bytes;     // of memory, without what the driver reserves
    std::optional<std::vector<unsigned>> pids;  // of other processes with a context
    std::string reason;                         // why one of them is missing
};

// By the address on the PCI bus, "00000000:3b:00.0": NVML does not know CUDA_VISIBLE_DEVICES' numbers.
DeviceUsage device_usage(const std::string& pci_bus_id);

}  // namespace hacscale::cuda
