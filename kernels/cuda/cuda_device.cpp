#include "kernels/cuda/cuda_device.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text/read_file.hpp"
#include "kernels/backend/dense_conv.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/cudnn_library.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {
namespace {

constexpr double gibibyte = 1024.0 * 1024.0 * 1024.0;
// A display takes a little; a context takes about half of one.
constexpr double foreign_memory_gib = 0.4;

std::string installed_driver() {
    return driver_release(read_if_there("/proc/driver/nvidia/version"));
}

int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    call<cudaDeviceGetAttribute>("reading a device's attributes", &value, which, device);
    return value;
}

std::string uuid_text(const cudaUUID_t& uuid) {
    std::string text = "GPU-";
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
    }
    return text;
}

std::string compute_mode_text(int mode) {
    switch (mode) {
        case cudaComputeModeDefault:
            return "default";
        case cudaComputeModeProhibited:
            return "prohibited";
        case cudaComputeModeExclusiveProcess:
            return "exclusive process";
        default:
            return "other";
    }
}

std::vector<std::string> timing_warnings(const cudaDeviceProp& device, int index, const std::string& mig,
                                         const std::string& pci_bus_id) {
    std::vector<std::string> warnings;
    if (!mig.empty()) {
        warnings.push_back(
            "this is a MIG slice (" + mig +
            "): other slices share the device's clock and power, so timings may depend on them");
    }
    if (attribute(cudaDevAttrKernelExecTimeout, index) != 0) {
        warnings.push_back(
            "a display runs on this GPU: it takes time from what is measured; measure without one");
    }
    if (device.mpsEnabled != 0) {
        warnings.push_back("MPS is on: other processes may run at the same time; measure with it off");
    }
    // A slice's use is not its GPU's.
    const DeviceUsage usage = mig.empty() ? device_usage(pci_bus_id) : DeviceUsage();
    if (std::string warning = usage_warning(usage, attribute(cudaDevAttrComputeMode, index));
        !warning.empty()) {
        warnings.push_back(std::move(warning));
    }
#ifndef NDEBUG
    warnings.push_back("this is a debug build of the backend");
#endif
    return warnings;
}

// Makes no context: one on every GPU would take half a GiB of each, shut out others where a GPU is for one process
// at a time, and fail where another has it.
CudaDevice describe(int index, int driver_cuda_version) {
    cudaDeviceProp device{};
    call<cudaGetDeviceProperties>(fmt::format("reading the properties of cuda:{}", index), &device, index);
    const std::string name = device.name;
    const std::string mig = mig_profile(name);

    nlohmann::ordered_json properties;
    properties["gpu"] = name;
    properties["compute_capability"] = fmt::format("{}.{}", device.major, device.minor);
    properties["multiprocessors"] = device.multiProcessorCount;
    properties["memory_gib"] = std::lround(static_cast<double>(device.totalGlobalMem) / gibibyte);
    properties["l2_bytes"] = device.l2CacheSize;
    properties["clock_mhz"] = attribute(cudaDevAttrClockRate, index) / 1000;
    properties["memory_clock_mhz"] = attribute(cudaDevAttrMemoryClockRate, index) / 1000;
    properties["memory_bus_bits"] = device.memoryBusWidth;
    properties["ecc"] = device.ECCEnabled != 0;
    properties["mig"] = mig;
    properties["driver"] = installed_driver();
    properties["driver_cuda"] = cuda_version_text(driver_cuda_version);
    properties["cuda"] = cuda_version_text(CUDART_VERSION);
    properties["cudnn"] = cudnn().version;
    properties["cudnn_cuda"] = cuda_version_text(cudnn().cuda_version);
    properties["kernel_generation"] = kernel_generation;
    if (device.major >= 9 && programmatic_launches_wanted()) properties["programmatic_launch"] = true;

    CudaDevice found;
    found.description.id = fmt::format("cuda:{}", index);
    found.description.name = name;
    found.description.fingerprint = hex_hash(properties.dump());
    // Told, but not part of the fingerprint: which of several equal devices it is, and how it is used.
    properties["uuid"] = uuid_text(device.uuid);
    const std::string pci_bus_id =
        fmt::format("{:08x}:{:02x}:{:02x}.0", device.pciDomainID, device.pciBusID, device.pciDeviceID);
    properties["pci_bus_id"] = pci_bus_id;
    properties["compute_mode"] = compute_mode_text(attribute(cudaDevAttrComputeMode, index));
    found.description.properties = properties.dump();
    found.description.warnings = timing_warnings(device, index, mig, pci_bus_id);
    found.traits.index = index;
    found.traits.compute_capability = 10 * device.major + device.minor;
    found.traits.multiprocessors = device.multiProcessorCount;
    found.traits.l2_bytes = static_cast<std::size_t>(device.l2CacheSize);
    found.traits.shared_memory_optin = device.sharedMemPerBlockOptin;
    return found;
}

std::vector<CudaDevice> enumerate() {
    const int driver_cuda_version = require_driver();
    int count = 0;
    if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
        cudaGetLastError();
        throw MissingError(
            fmt::format("the CUDA runtime cannot use the GPU that the driver shows: {} ({}); check that "
                        "'nvidia-smi' works",
                        cudaGetErrorString(error), cudaGetErrorName(error)));
    }
    std::vector<CudaDevice> devices;
    for (int i = 0; i < count; ++i) devices.push_back(describe(i, driver_cuda_version));
    return devices;
}

}  // namespace

std::vector<LayerSpec> dense_layers() {
    return {dense_conv(2048, 128, 1), dense_conv(1024, 128, 1), dense_conv(512, 128, 3),
            dense_conv(1024, 64, 3)};
}

std::string mig_profile(const std::string& device_name) {
    static const std::regex pattern(R"(\bMIG ([0-9]+g\.[0-9]+gb\S*))");
    std::smatch match;
    return std::regex_search(device_name, match, pattern) ? match[1].str() : std::string();
}

std::string driver_release(const std::string& text) {
    static const std::regex pattern(R"(\b[0-9]+\.[0-9]+(\.[0-9]+)?\b)");
    std::smatch match;
    return std::regex_search(text, match, pattern) ? match[0].str() : std::string();
}

std::string usage_warning(const DeviceUsage& usage, int compute_mode) {
    if (compute_mode == cudaComputeModeProhibited) {
        return "the compute mode forbids all work on this GPU; set it with 'nvidia-smi -c 0'";
    }
    const bool exclusive = compute_mode == cudaComputeModeExclusiveProcess;
    if (usage.pids && !usage.pids->empty()) {
        return fmt::format("{} on this GPU ({} {}){}",
                           usage.pids->size() == 1 ? "another process is" : "other processes are",
                           usage.pids->size() == 1 ? "pid" : "pids", fmt::join(*usage.pids, ", "),
                           exclusive ? ", which one process at a time may use: it cannot be used now"
                                     : ": what they do is in the timings");
    }
    const double used_gib = static_cast<double>(usage.used_bytes.value_or(0)) / gibibyte;
    if (used_gib > foreign_memory_gib) {
        return fmt::format("{:.1f} GiB of this GPU's memory are taken: other programs may be using it",
                           used_gib);
    }
    if (usage.reason.empty()) return {};
    return "whether other programs use this GPU is not known: " + usage.reason;
}

const std::vector<CudaDevice>& cuda_devices() {
    static const std::vector<CudaDevice> devices = enumerate();
    return devices;
}

const CudaDevice& cuda_device(const std::string& id) {
    std::string known;
    for (const CudaDevice& device : cuda_devices()) {
        if (device.description.id == id) return device;
        known += (known.empty() ? "" : ", ") + device.description.id;
    }
    throw MissingError("device '" + id + "' is not here (GPUs found: " + known + ")");
}

std::string unsupported_type(int compute_capability, DataType type) {
    constexpr int oldest = 75;     // that CUDA 13 makes code for
    constexpr int with_bf16 = 80;  // matrix units gained bf16 and TF32 together
    const auto text = [&](std::string_view what, int needed) {
        return fmt::format("{} needs compute capability {}.{} or newer, and this GPU has {}.{}", what,
                           needed / 10, needed % 10, compute_capability / 10, compute_capability % 10);
    };
    if (compute_capability < oldest) return text("the CUDA backend", oldest);
    if (std::find(data_types.begin(), data_types.end(), type) == data_types.end()) {
        return fmt::format("the cuda backend computes in f32, tf32, bf16 and f16, not in {}", name_of(type));
    }
    if (type == DataType::bf16 && compute_capability < with_bf16) {
        return text("bf16", with_bf16) + "; use f16 or f32";
    }
    if (type == DataType::tf32 && compute_capability < with_bf16) {
        return text("tf32", with_bf16) + "; use f32 or f16";
    }
    return {};
}

}  // namespace hacscale::cuda
