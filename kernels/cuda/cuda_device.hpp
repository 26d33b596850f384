// The GPUs of this machine as the rest of the program sees them: whether there is a driver that this program can use,
// the devices with their fingerprints, and what keeps each from being used.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "kernels/cuda/cuda_layer.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

// ---- The driver, asked before the CUDA runtime is touched, because the runtime folds most answers into one error.

// The CUDA version that the driver supports, as 13000 for 13.0. Throws MissingError with what is wrong and
// what to do: no driver, a driver too old for this program, no device, all devices hidden.
int require_driver();

// ---- Who uses a GPU now: asked of NVML, which needs no context on it. NVML is opened at run time; the profiler, which
// kernels/ may not know, has its own table of the functions that read clocks and energy.

struct DeviceUsage {
    std::optional<std::int64_t> used_bytes;     // of memory, without what the driver reserves
    std::optional<std::vector<unsigned>> pids;  // of other processes with a context
    std::string reason;                         // why one of them is missing
};

// By the address on the PCI bus, "00000000:3b:00.0": NVML does not know CUDA_VISIBLE_DEVICES' numbers.
DeviceUsage device_usage(const std::string& pci_bus_id);

// ---- The devices

// Which hand-written kernels this program has, for the fingerprint: a hash of the sources in device/, made when the
// program is built (cmake/KernelHash.cmake).
extern const char* const kernel_generation;

struct CudaDevice {
    BackendDevice description;
    DeviceTraits traits;
};

// Read once a process, without a context on any of them; never empty. A GPU that cannot be used now, because another
// process has it for itself or its compute mode forbids work, is among them and says so in its warnings. Throws
// MissingError as require_driver() and cudnn() do, and when the CUDA runtime cannot use what the driver shows.
const std::vector<CudaDevice>& cuda_devices();

// By its name, "cuda:0". Throws MissingError naming those there are.
const CudaDevice& cuda_device(const std::string& id);

// Large dense layers, as Backend::peak_layers(): large enough at batch 1 that every multiprocessor has several tiles of any size
// to work on.
std::vector<LayerSpec> dense_layers();

// The name of a MIG slice's profile ("1g.5gb") in a device's name; empty when it is a whole device.
std::string mig_profile(const std::string& device_name);

// What of a GPU's use may spoil timings, or keep this program from using it; empty when nothing does.
// `compute_mode` is a cudaComputeMode.
std::string usage_warning(const DeviceUsage& usage, int compute_mode);

// The first version number in the text of /proc/driver/nvidia/version: "580.65.06".
std::string driver_release(const std::string& text);

// Those that the backend computes in, on devices that can.
inline constexpr std::array data_types{DataType::f32, DataType::bf16, DataType::f16, DataType::tf32};

// Why a device of this compute capability (75 for 7.5) cannot run the type; empty when it can.
std::string unsupported_type(int compute_capability, DataType type);

}  // namespace hacscale::cuda
