#include "profiler/nvml/nvml_device.hpp"

#include <array>
#include <optional>

#include "profiler/nvml/clock_events.hpp"

namespace hacscale::nvml {
namespace {

constexpr std::array columns{"sm_clock_mhz", "memory_clock_mhz", "temperature_c",
                             "power_w",      "energy_mj",        "throttle_reasons"};

// Reads one value with one of NVML's functions; an absent function or a refusal is the column's reason.
template <typename Value, typename Function, typename... Arguments>
std::optional<double> read(const NvmlLibrary& nvml, DeviceState& state, const std::string& column,
                           Function function, DeviceHandle device, Arguments... arguments) {
    if (function == nullptr) {
        state.reasons[column] = "this driver's NVML cannot tell it; install a newer driver";
        return std::nullopt;
    }
    Value value{};
    if (const Return result = function(device, arguments..., &value); result != success) {
        state.reasons[column] = nvml.explain(result, "reading it from NVML");
        return std::nullopt;
    }
    return static_cast<double>(value);
}

}  // namespace

DeviceState unknown_state(const std::string& reason) {
    DeviceState state;
    for (const char* column : columns) state.reasons[column] = reason;
    return state;
}

NvmlDevice::NvmlDevice(const NvmlLibrary& nvml, const std::string& pci_bus_id, const std::string& uuid)
    : nvml_(nvml) {
    if (!nvml_.usable()) {
        reason_ = nvml_.reason;
        return;
    }
    Return result = nvml_.handle_by_pci_bus_id(pci_bus_id.c_str(), &device_);
    if (result != success) result = nvml_.handle_by_uuid(uuid.c_str(), &device_);
    if (result != success) {
        device_ = nullptr;
        reason_ = nvml_.explain(result, "finding the GPU at " + pci_bus_id + " in NVML");
        return;
    }
    unsigned current = 0;
    unsigned pending = 0;
    partitioned_ = nvml_.mig_mode != nullptr && nvml_.mig_mode(device_, &current, &pending) == success &&
                   current == mig_enabled;
}

DeviceState NvmlDevice::state() const {
    if (device_ == nullptr) return unknown_state(reason_);
    DeviceState state;
    state.sm_clock_mhz = read<unsigned>(nvml_, state, "sm_clock_mhz", nvml_.clock_info, device_, clock_sm);
    state.memory_clock_mhz =
        read<unsigned>(nvml_, state, "memory_clock_mhz", nvml_.clock_info, device_, clock_memory);
    state.temperature_c =
        read<unsigned>(nvml_, state, "temperature_c", nvml_.temperature, device_, sensor_gpu);
    if (partitioned_) {
        const std::string reason = "NVML tells it of the whole GPU only, and this is a part of one (MIG)";
        state.reasons["power_w"] = reason;
        state.reasons["energy_mj"] = reason;
    } else {
        state.power_w = read<unsigned>(nvml_, state, "power_w", nvml_.power_usage, device_);
        if (state.power_w) *state.power_w /= 1000.0;
        state.energy_mj = read<unsigned long long>(nvml_, state, "energy_mj", nvml_.total_energy, device_);
    }
    // Nine bits of a mask: a double holds them exactly.
    if (const std::optional<double> bits =
            read<unsigned long long>(nvml_, state, "throttle_reasons", nvml_.clock_event_reasons, device_)) {
        const auto reasons = static_cast<unsigned long long>(*bits);
        state.throttled = throttled(reasons);
        state.throttle_reasons = clock_events_in_words(reasons);
    }
    return state;
}

}  // namespace hacscale::nvml
