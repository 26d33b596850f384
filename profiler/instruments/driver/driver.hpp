// NVIDIA's driver: its functions that instruments need, and what it knows of a device.
#pragma once

#include <cuda.h>

#include <optional>
#include <string>

#include "base/error.hpp"
#include "profiler/instruments/occupancy/occupancy.hpp"

namespace hacscale::driver {

// The functions of NVIDIA's driver (libcuda.so.1) that instruments need: which device cuda:N is, its limits,
// and its context. The header cuda.h is used for types only; the library is opened at run time.
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
    // The driver's text for an error, with the work that failed: "reading the device's limits failed: ..."; with the place of
    // the call where the driver has no text.
    std::string explain(CUresult result, const CallSite& work) const;
};

// Opens and initializes the driver again.
DriverLibrary open_driver();
// The same, once a process.
const DriverLibrary& driver();

// What the driver knows of a CUDA device that instruments need: its limits for occupancy, and the names under
// which other libraries know it. CUDA_VISIBLE_DEVICES renumbers devices for CUDA but not for NVML, so the bus
// address is what both agree on.
struct DeviceFacts {
    CUdevice device = 0;
    OccupancyLimits limits;
    std::string pci_bus_id;  // "00000000:3b:00.0" or shorter, as the driver writes it
    std::string uuid;        // "GPU-..."
};

struct DeviceFactsResult {
    std::optional<DeviceFacts> facts;
    std::string reason;  // when there are none
};

// ordinal: N of cuda:N.
DeviceFactsResult device_facts(const DriverLibrary& driver, int ordinal);

// "GPU-" and the five groups of hexadecimal digits that people know.
std::string uuid_text(const CUuuid& uuid);

// The device's primary context, the one that the CUDA runtime works in: kept alive, and made current in the
// thread that makes this object.
class PrimaryContext {
public:
    PrimaryContext(const DriverLibrary& driver, CUdevice device);
    ~PrimaryContext();
    PrimaryContext(const PrimaryContext&) = delete;
    PrimaryContext& operator=(const PrimaryContext&) = delete;

    CUcontext get() const { return context_; }
    const std::string& reason() const { return reason_; }  // why get() is null

private:
    const DriverLibrary& driver_;
    CUdevice device_;
    CUcontext context_ = nullptr;
    std::string reason_;
};

}  // namespace hacscale::driver
