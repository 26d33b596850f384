#include "profiler/instruments/driver/driver.hpp"

#include <fmt/format.h>

#include <array>

#include "kernels/cuda/symbol_reader.hpp"

namespace hacscale::driver {
namespace {

// Reads attributes until one fails, and remembers why.
class AttributeReader {
public:
    AttributeReader(const DriverLibrary& driver, CUdevice device) : driver_(driver), device_(device) {}

    int read(CUdevice_attribute attribute) {
        int value = 0;
        if (result_ == CUDA_SUCCESS) result_ = driver_.device_get_attribute(&value, attribute, device_);
        return value;
    }
    std::size_t read_bytes(CUdevice_attribute attribute) { return static_cast<std::size_t>(read(attribute)); }
    CUresult result() const { return result_; }

private:
    const DriverLibrary& driver_;
    CUdevice device_;
    CUresult result_ = CUDA_SUCCESS;
};

OccupancyLimits read_limits(AttributeReader& device) {
    OccupancyLimits limits;
    limits.compute_major = device.read(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    limits.compute_minor = device.read(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    limits.multiprocessors = device.read(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    limits.warp_size = device.read(CU_DEVICE_ATTRIBUTE_WARP_SIZE);
    limits.threads_per_block = device.read(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    limits.threads_per_multiprocessor = device.read(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
    limits.registers_per_block = device.read(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
    limits.registers_per_multiprocessor = device.read(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
    limits.shared_per_block = device.read_bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
    limits.shared_per_block_optin = device.read_bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    limits.shared_per_multiprocessor =
        device.read_bytes(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
    limits.reserved_shared_per_block =
        device.read_bytes(CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
    return limits;
}

}  // namespace

std::string DriverLibrary::explain(CUresult result, const CallSite& work) const {
    const char* text = nullptr;
    if (get_error_string != nullptr && get_error_string(result, &text) == CUDA_SUCCESS && text != nullptr) {
        return fmt::format("{} failed: {}", work.what, text);
    }
    return fmt::format("{} failed with the driver's error {} ({})", work.what, static_cast<int>(result),
                       text_of(work.where));
}

DriverLibrary open_driver() {
    DriverLibrary driver;
    const cuda::Library library = cuda::open_library("libcuda.so.1", "install NVIDIA's driver");
    if (library.handle == nullptr) {
        driver.reason = library.reason;
        return driver;
    }
    cuda::SymbolReader symbols(library);
    symbols.read("cuInit", driver.init);
    symbols.read("cuGetErrorString", driver.get_error_string);
    symbols.read("cuDeviceGet", driver.device_get);
    symbols.read("cuDeviceGetAttribute", driver.device_get_attribute);
    symbols.read("cuDeviceGetPCIBusId", driver.device_get_pci_bus_id);
    symbols.read("cuDeviceGetUuid_v2", driver.device_get_uuid);
    symbols.read("cuDevicePrimaryCtxRetain", driver.primary_context_retain);
    symbols.read("cuDevicePrimaryCtxRelease_v2", driver.primary_context_release);
    symbols.read("cuCtxGetCurrent", driver.context_get_current);
    symbols.read("cuCtxSetCurrent", driver.context_set_current);
    if (!symbols.missing().empty()) {
        driver.reason =
            library.path.string() + " lacks " + symbols.missing() + "; install a newer NVIDIA driver";
        return driver;
    }
    if (const CUresult result = driver.init(0); result != CUDA_SUCCESS) {
        driver.reason = driver.explain(result, "starting NVIDIA's driver");
    }
    return driver;
}

const DriverLibrary& driver() {
    static const DriverLibrary opened = open_driver();
    return opened;
}

std::string uuid_text(const CUuuid& uuid) {
    std::string text = "GPU-";
    for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
    }
    return text;
}

DeviceFactsResult device_facts(const DriverLibrary& driver, int ordinal) {
    if (!driver.usable()) return {std::nullopt, driver.reason};
    const std::string device_name = fmt::format("cuda:{}", ordinal);
    DeviceFacts facts;
    if (const CUresult result = driver.device_get(&facts.device, ordinal); result != CUDA_SUCCESS) {
        return {std::nullopt, driver.explain(result, "finding " + device_name)};
    }
    AttributeReader attributes(driver, facts.device);
    facts.limits = read_limits(attributes);
    if (attributes.result() != CUDA_SUCCESS) {
        return {std::nullopt, driver.explain(attributes.result(), "reading the limits of " + device_name)};
    }
    std::array<char, 32> bus_id{};
    const int bus_id_size = static_cast<int>(bus_id.size());
    if (driver.device_get_pci_bus_id(bus_id.data(), bus_id_size, facts.device) == CUDA_SUCCESS) {
        facts.pci_bus_id = bus_id.data();
    }
    CUuuid uuid{};
    if (driver.device_get_uuid(&uuid, facts.device) == CUDA_SUCCESS) facts.uuid = uuid_text(uuid);
    return {facts, ""};
}

PrimaryContext::PrimaryContext(const DriverLibrary& driver, CUdevice device)
    : driver_(driver), device_(device) {
    if (const CUresult result = driver_.primary_context_retain(&context_, device_); result != CUDA_SUCCESS) {
        context_ = nullptr;
        reason_ = driver_.explain(result, "opening the device's context");
        return;
    }
    CUcontext current = nullptr;
    if (driver_.context_get_current(&current) == CUDA_SUCCESS && current == context_) return;
    if (const CUresult result = driver_.context_set_current(context_); result != CUDA_SUCCESS) {
        driver_.primary_context_release(device_);
        context_ = nullptr;
        reason_ = driver_.explain(result, "making the device's context current");
    }
}

PrimaryContext::~PrimaryContext() {
    if (context_ != nullptr) driver_.primary_context_release(device_);
}

}  // namespace hacscale::driver
