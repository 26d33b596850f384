#include "profiler/nvml/clock_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace hacscale::nvml {
namespace {

// Idle clocks rise as soon as there is work; clocks that a user or a display set are what the user wants.
constexpr std::array<ClockEvent, 9> events{{
    {0x001, "idle", false},
    {0x002, "application clocks set", false},
    {0x004, "power cap", true},
    {0x008, "hardware slowdown", true},
    {0x010, "synchronized with other GPUs", false},
    {0x020, "thermal slowdown by the driver", true},
    {0x040, "thermal slowdown by the hardware", true},
    {0x080, "power brake", true},
    {0x100, "display clocks set", false},
}};

}  // namespace

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

bool throttled(unsigned long long reasons) {
    return std::any_of(events.begin(), events.end(), [reasons](const ClockEvent& event) {
        return event.throttles && (reasons & event.bit) != 0;
    });
}

}  // namespace hacscale::nvml
