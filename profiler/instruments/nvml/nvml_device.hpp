// Clocks, temperature, power, energy and throttling of one GPU, read from NVML.
#pragma once

#include <optional>
#include <string>

#include "profiler/instruments/instruments.hpp"
#include "profiler/instruments/nvml/nvml_library.hpp"

namespace hacscale::nvml {

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
