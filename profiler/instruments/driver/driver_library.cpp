#include "profiler/instruments/driver/driver_library.hpp"

#include "profiler/instruments/driver/symbol_reader.hpp"

namespace hacscale::driver {

std::string DriverLibrary::explain(CUresult result, const std::string& work) const {
    const char* text = nullptr;
    if (get_error_string != nullptr && get_error_string(result, &text) == CUDA_SUCCESS && text != nullptr) {
        return work + " failed: " + text;
    }
    return work + " failed with the driver's error " + std::to_string(static_cast<int>(result));
}

DriverLibrary open_driver() {
    DriverLibrary driver;
    const cuda::Library library = cuda::open_library("libcuda.so.1", "install NVIDIA's driver");
    if (library.handle == nullptr) {
        driver.reason = library.reason;
        return driver;
    }
    SymbolReader symbols(library);
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

}  // namespace hacscale::driver
