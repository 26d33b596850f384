// What the driver knows of a CUDA device that instruments need: its limits for occupancy, and the names under
// which other libraries know it. CUDA_VISIBLE_DEVICES renumbers devices for CUDA but not for NVML, so the bus
// address is what both agree on.
#pragma once

#include <optional>
#include <string>

#include "profiler/instruments/driver/driver_library.hpp"
#include "profiler/instruments/occupancy/occupancy.hpp"

namespace hacscale::driver {

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
