// Clocks, temperature, power, energy and throttling of one GPU, read from NVML.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "profiler/instruments/instruments.hpp"
#include "profiler/instruments/nvml/nvml_library.hpp"

namespace hacscale::nvml {

// Why a GPU's clocks are where they are, in words, and which of the reasons spoil a measurement.
enum class ClockEffect {
    wanted,  // idle clocks rise as soon as there is work; clocks that a user or a display set are what they want
    power_cap,  // steady under a steady load: it spoils a measurement only where clocks vary meanwhile
    throttles   // clocks are held down for heat, or by the hardware
};

struct ClockEvent {
    unsigned long long bit;  // of nvmlClocksEventReasons
    std::string_view text;
    ClockEffect effect;
};

// A cause whose time NVML adds up (nvmlDeviceGetViolationStatus). NVML has no such sum of the hardware's slowdowns and
// of the power brake under a number that is the same in all drivers (nvml.h renumbered them).
struct ViolationPolicy {
    int policy;  // nvmlPerfPolicyType_t
    std::string_view text;
    ClockEffect effect;
};

std::span<const ViolationPolicy> violation_policies();

std::span<const ClockEvent> clock_events();

// The reasons that are set, separated by ", "; bits that are not known are told as a number.
std::string clock_events_in_words(unsigned long long reasons);
bool has_effect(unsigned long long reasons, ClockEffect effect);

class NvmlDevice {
public:
    // The GPU at this bus address, or with this UUID where the address is not known to NVML. CUDA's numbers
    // are of no use here: CUDA_VISIBLE_DEVICES renumbers its devices and not NVML's. A device that is not
    // found gives states with reasons only.
    NvmlDevice(const NvmlLibrary& nvml, const std::string& pci_bus_id, const std::string& uuid);

    DeviceState state() const;
    EnergyCounter energy() const;
    std::optional<double> sm_clock_mhz() const;

private:
    const NvmlLibrary& nvml_;
    DeviceHandle device_ = nullptr;
    std::string reason_;        // why there is no device
    bool partitioned_ = false;  // MIG is on: power is the whole GPU's
};

// A state in which nothing is known, for this reason.
DeviceState unknown_state(const std::string& reason);

}  // namespace hacscale::nvml
