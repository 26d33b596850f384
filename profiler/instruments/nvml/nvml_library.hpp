// The few functions of NVML (libnvidia-ml.so.1, part of the driver) that are used, declared here: they have
// been the same since NVML 4 to 11, and the toolkit's header is not needed to build. Constants and signatures
// as in NVIDIA's NVML API reference.
#pragma once

#include <string>

#include "base/error.hpp"

namespace hacscale::nvml {

struct NvmlDeviceTag;
using DeviceHandle = NvmlDeviceTag*;

using Return = int;
inline constexpr Return success = 0;

// nvmlClockType_t, nvmlTemperatureSensors_t, and the states of MIG mode.
inline constexpr int clock_sm = 1;
inline constexpr int clock_memory = 2;
inline constexpr int sensor_gpu = 0;
inline constexpr unsigned mig_enabled = 1;

// nvmlViolationTime_t.
struct ViolationTime {
    unsigned long long reference_us = 0;
    unsigned long long violation_ns = 0;
};

struct NvmlLibrary {
    Return (*init)() = nullptr;
    const char* (*error_string)(Return) = nullptr;
    Return (*handle_by_pci_bus_id)(const char* bus_id, DeviceHandle*) = nullptr;
    Return (*handle_by_uuid)(const char* uuid, DeviceHandle*) = nullptr;
    // Null in drivers that do not have them.
    Return (*clock_info)(DeviceHandle, int clock, unsigned* mhz) = nullptr;
    Return (*temperature)(DeviceHandle, int sensor, unsigned* celsius) = nullptr;
    Return (*power_usage)(DeviceHandle, unsigned* milliwatts) = nullptr;
    Return (*total_energy)(DeviceHandle, unsigned long long* millijoules) = nullptr;
    Return (*clock_event_reasons)(DeviceHandle, unsigned long long* reasons) = nullptr;
    Return (*violation_status)(DeviceHandle, int policy, ViolationTime*) = nullptr;
    Return (*mig_mode)(DeviceHandle, unsigned* current, unsigned* pending) = nullptr;

    std::string reason;  // why it cannot be used, and what to do; empty when it can
    bool usable() const { return reason.empty(); }
    // NVML's own text for an error, behind the work that failed; with the place of the call where it has none.
    std::string explain(Return result, const CallSite& work) const;
};

// Opens and initializes the library again.
NvmlLibrary open_nvml();
// The same, once a process; it is never shut down, since it dies with the process.
const NvmlLibrary& nvml();

}  // namespace hacscale::nvml
