// ONNX Runtime's CUDA provider, as people deploy it: all its optimizations on, everything else as it comes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "kernels/backend/backend.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cupti/cupti_library.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/libraries.hpp"
#include "kernels/onnxruntime/cuda/cuda_session.hpp"
#include "kernels/runtimes/runtime.hpp"

namespace hacscale::onnxruntime {
namespace {

constexpr const char* module_name = "onnxruntime_cuda";
constexpr const char* runtime = "onnxruntime";
constexpr const char* device_prefix = "onnxruntime@";

// "cuda:0" of "onnxruntime@cuda:0".
const cuda::CudaDevice& gpu_of(const std::string& device) {
    return cuda::cuda_device(device.substr(std::string_view(device_prefix).size()));
}

// The loader then finds them for the provider, wherever they are. What is missing the provider names itself, when it is opened.
void open_what_the_provider_needs() {
    for (const char* library : {"libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10",
                                "libcufft.so.12", "libnvrtc.so.13"}) {
        cuda::open_library(library, "");
    }
}

// The fingerprint has what can change times: of the GPU's description all but our own kernels, and the runtime's version.
BackendDevice device_on(const cuda::CudaDevice& gpu, const std::string& version) {
    BackendDevice device = gpu.description;
    nlohmann::ordered_json properties = nlohmann::ordered_json::parse(device.properties);
    properties.erase("kernel_generation");
    properties.erase("programmatic_launch");
    properties[runtime] = version;
    nlohmann::ordered_json stable = properties;
    for (const char* told_only : {"uuid", "pci_bus_id", "compute_mode"}) stable.erase(told_only);
    device.id = device_prefix + device.id;
    device.name += fmt::format(" ({} {})", runtime, version);
    device.fingerprint = hex_hash(stable.dump());
    device.properties = properties.dump();
    return device;
}

std::string unsupported_reason(DataType type) {
    if (type == DataType::f32 || type == DataType::tf32) return {};
    return "ONNX Runtime computes in f32 and tf32 on GPUs here, not in " + std::string(name_of(type));
}

std::unique_ptr<runtimes::LoadedNetwork> load(const std::string& device,
                                              const runtimes::ExportedNetwork& network, DataType type) {
    const int gpu = gpu_of(device).traits.index;
    cuda::use_device(gpu);
    try {
        return std::make_unique<CudaSession>(network, gpu, type);
    } catch (const cuda::OutOfDeviceMemory&) {
        throw std::bad_alloc();
    } catch (const WorkError&) {
        cuda::check_device_works();
        throw;
    }
}

// Reads a buffer larger than the L2 cache.
void fill_caches(const std::string& device) {
    static std::map<std::string, std::shared_ptr<const cuda::DeviceBuffer>> buffers;
    const cuda::DeviceTraits& traits = gpu_of(device).traits;
    cuda::use_device(traits.index);
    auto& buffer = buffers[device];
    if (buffer == nullptr) buffer = cuda::make_flush_buffer(traits);
    cuda::launch_touch(buffer->data(), buffer->size(), nullptr);
    cuda::call<cudaDeviceSynchronize>("waiting for the caches to be filled");
}

std::unique_ptr<Backend> create() {
    const std::vector<cuda::CudaDevice>& gpus = cuda::cuda_devices();
    const Api& api = Api::get();
    const std::vector<std::string> providers = api.providers();
    if (std::find(providers.begin(), providers.end(), "CUDAExecutionProvider") == providers.end()) {
        throw MissingError(
            "ONNX Runtime " + api.version() +
            " is here for CPUs alone; install it with: pip install 'onnxruntime-gpu[cuda,cudnn]'");
    }
    if (!cupti::cupti().usable()) throw MissingError(cupti::cupti().reason);
    open_what_the_provider_needs();
    runtimes::DeviceKind kind;
    for (const cuda::CudaDevice& gpu : gpus) kind.devices.push_back(device_on(gpu, api.version()));
    kind.peak_layers = cuda::dense_layers();
    kind.copy_bandwidth = [](const std::string& device) {
        return cuda::measure_copy_bandwidth(gpu_of(device).traits).bytes_per_second;
    };
    kind.fill_caches = fill_caches;
    return runtimes::make_backend({module_name, "ONNX Runtime", unsupported_reason, load}, std::move(kind));
}

}  // namespace
}  // namespace hacscale::onnxruntime

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{
        hacscale::backend_abi_version, hacscale::onnxruntime::module_name, hacscale::onnxruntime::create};
    return &module;
}
