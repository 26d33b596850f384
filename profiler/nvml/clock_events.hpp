// Why a GPU's clocks are where they are, in words, and which of the reasons spoil a measurement.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hacscale::nvml {

struct ClockEvent {
    unsigned long long bit;  // of nvmlClocksEventReasons
    std::string_view text;
    bool throttles;  // clocks are held down for heat or power
};

std::span<const ClockEvent> clock_events();

// The reasons that are set, separated by ", "; bits that are not known are told as a number.
std::string clock_events_in_words(unsigned long long reasons);
bool throttled(unsigned long long reasons);

}  // namespace hacscale::nvml
