// The functions of NVIDIA's driver (libcuda.so.1) that instruments need: which device cuda:N is, its limits,
// and its context. The header cuda.h is used for types only; the library is opened at run time.
#pragma once

#include <cuda.h>

#include <string>

namespace hacscale::driver {

struct DriverLibrary {
    decltype(&cuInit) init = nullptr;
    decltype(&cuGetErrorString) get_error_string = nullptr;
    decltype(&cuDeviceGet) device_get = nullptr;
    decltype(&cuDeviceGetAttribute) device_get_attribute = nullptr;
    decltype(&cuDeviceGetPCIBusId) device_get_pci_bus_id = nullptr;
    decltype(&cuDeviceGetUuid) device_get_uuid = nullptr;
    decltype(&cuDevicePrimaryCtxRetain) primary_context_retain = nullptr;
    decltype(&cuDevicePrimaryCtxRelease) primary_context_release = nullptr;
    decltype(&cuCtxGetCurrent) context_get_current = nullptr;
    decltype(&cuCtxSetCurrent) context_set_current = nullptr;

    std::string reason;  // why it cannot be used, and what to do; empty when it can
    bool usable() const { return reason.empty(); }
    // The driver's text for an error, with the work that failed: "reading the device's limits: ...".
    std::string explain(CUresult result, const std::string& work) const;
};

// Opens and initializes the driver anew.
DriverLibrary open_driver();
// The same, once a process.
const DriverLibrary& driver();

}  // namespace hacscale::driver
