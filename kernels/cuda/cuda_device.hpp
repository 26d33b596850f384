// The GPUs of this machine as the rest of the program sees them.
#pragma once

#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/device_usage.hpp"

namespace hacscale::cuda {

struct CudaDevice {
    BackendDevice description;
    DeviceTraits traits;
};

// Read once a process, without a context on any of them; never empty. A GPU that cannot be used now, because another
// process has it for itself or its compute mode forbids work, is among them and says so in its warnings. Throws MissingError as require_driver() and cudnn() do, and when the CUDA
// runtime cannot use what the driver shows.
const std::vector<CudaDevice>& cuda_devices();

// By its name, "cuda:0". Throws MissingError naming those there are.
const CudaDevice& cuda_device(const std::string& id);

// The name of a MIG slice's profile ("1g.5gb") in a device's name; empty when it is a whole device.
std::string mig_profile(const std::string& device_name);

// What of a GPU's use may spoil timings, or keep this program from using it; empty when nothing does.
// `compute_mode` is a cudaComputeMode.
std::string usage_warning(const DeviceUsage& usage, int compute_mode);

// The first version number in the text of /proc/driver/nvidia/version: "580.65.06".
std::string driver_release(const std::string& text);

}  // namespace hacscale::cuda
