#include "profiler/instruments/nvml/clock_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

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

}  // namespace hacscale::nvml
