#include "profiler/instruments/nvml/nvml_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/clock.hpp"

namespace hacscale::nvml {
namespace {

constexpr std::array<ClockEvent, 9> events{{
    {0x001, "idle", ClockEffect::wanted},
    {0x002, "application clocks set", ClockEffect::wanted},
    {0x004, "power cap", ClockEffect::power_cap},
    {0x008, "hardware slowdown", ClockEffect::throttles},
    {0x010, "synchronized with other GPUs", ClockEffect::wanted},
    {0x020, "thermal slowdown by the driver", ClockEffect::throttles},
    {0x040, "thermal slowdown by the hardware", ClockEffect::throttles},
    {0x080, "power brake", ClockEffect::throttles},
    {0x100, "display clocks set", ClockEffect::wanted},
}};

constexpr std::array<ViolationPolicy, 4> policies{{
    {0, "power cap", ClockEffect::power_cap},
    {1, "thermal slowdown", ClockEffect::throttles},
    {3, "limit of the board", ClockEffect::throttles},
    {5, "limit of reliability", ClockEffect::throttles},
}};

constexpr std::array columns{"sm_clock_mhz", "memory_clock_mhz", "temperature_c", "power_w",
                             "throttle_reasons"};
constexpr const char* whole_gpu_only = "NVML tells it of the whole GPU only, and this is a part of one (MIG)";

// Reads one value with one of NVML's functions; an absent function or a refusal is the reason why there is none.
template <typename Value, typename Function, typename... Arguments>
std::optional<double> read(const NvmlLibrary& nvml, std::string& reason, Function function,
                           DeviceHandle device, Arguments... arguments) {
    if (function == nullptr) {
        reason = "this driver's NVML cannot tell it; install a newer driver";
        return std::nullopt;
    }
    Value value{};
    if (const Return result = function(device, arguments..., &value); result != success) {
        reason = nvml.explain(result, "reading it from NVML");
        return std::nullopt;
    }
    return static_cast<double>(value);
}

// The same for a column of the state.
template <typename Value, typename Function, typename... Arguments>
std::optional<double> read(const NvmlLibrary& nvml, DeviceState& state, const std::string& column,
                           Function function, DeviceHandle device, Arguments... arguments) {
    std::string reason;
    const std::optional<double> value = read<Value>(nvml, reason, function, device, arguments...);
    if (!value) state.reasons[column] = reason;
    return value;
}

}  // namespace

std::span<const ViolationPolicy> violation_policies() {
    return policies;
}

std::span<const ClockEvent> clock_events() {
    return events;
}

std::string clock_events_in_words(unsigned long long reasons) {
    std::string words;
    const auto append = [&words](std::string_view text) {
        if (!words.empty()) words += ", ";
        words += text;
    };
    for (const ClockEvent& event : events) {
        if ((reasons & event.bit) != 0) append(event.text);
        reasons &= ~event.bit;
    }
    if (reasons != 0) append(fmt::format("NVML's reason 0x{:x}", reasons));
    return words;
}

bool has_effect(unsigned long long reasons, ClockEffect effect) {
    return std::any_of(events.begin(), events.end(), [reasons, effect](const ClockEvent& event) {
        return event.effect == effect && (reasons & event.bit) != 0;
    });
}

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
        state.reasons["power_w"] = whole_gpu_only;
    } else {
        state.power_w = read<unsigned>(nvml_, state, "power_w", nvml_.power_usage, device_);
        if (state.power_w) *state.power_w /= 1000.0;
    }
    // Nine bits of a mask: a double holds them exactly.
    if (const std::optional<double> bits =
            read<unsigned long long>(nvml_, state, "throttle_reasons", nvml_.clock_event_reasons, device_)) {
        const auto reasons = static_cast<unsigned long long>(*bits);
        state.throttled = has_effect(reasons, ClockEffect::throttles);
        state.power_capped = has_effect(reasons, ClockEffect::power_cap);
        state.throttle_reasons = clock_events_in_words(reasons);
    }
    for (const ViolationPolicy& policy : violation_policies()) {
        ViolationTime time;
        if (nvml_.violation_status == nullptr ||
            nvml_.violation_status(device_, policy.policy, &time) != success) {
            continue;
        }
        state.held_down.push_back({std::string(policy.text), policy.effect == ClockEffect::power_cap,
                                   static_cast<double>(time.violation_ns) / 1000.0});
    }
    state.at_us = now_us();
    return state;
}

EnergyCounter NvmlDevice::energy() const {
    if (device_ == nullptr) return {{}, reason_};
    if (partitioned_) return {{}, whole_gpu_only};
    EnergyCounter counter;
    counter.mj = read<unsigned long long>(nvml_, counter.reason, nvml_.total_energy, device_);
    return counter;
}

std::optional<double> NvmlDevice::sm_clock_mhz() const {
    if (device_ == nullptr) return std::nullopt;
    std::string reason;
    return read<unsigned>(nvml_, reason, nvml_.clock_info, device_, clock_sm);
}

}  // namespace hacscale::nvml
