// Why a GPU's clocks are where they are, in words, and which of the reasons spoil a measurement.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hacscale::nvml {

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

}  // namespace hacscale::nvml
