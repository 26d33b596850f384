// CUPTI's return codes in words that say what to do. Inside this folder a failed call is an exception; it
// leaves as the reason of the cells that it leaves empty.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "profiler/instruments/cupti/cupti_library.hpp"

namespace hacscale::cupti {

class CuptiFailure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What is wrong and what to do: "cuptiRangeProfilerEnable: no privilege to read counters; ...".
std::string explain(const CuptiLibrary& cupti, CUptiResult result, std::string_view call);

// Throws CuptiFailure with explain()'s text unless the call went well.
void check(const CuptiLibrary& cupti, CUptiResult result, std::string_view call);

// Why cuptiProfilerDeviceSupported() says no, in the same words; empty when it says yes.
std::string refusal_of(const CUpti_Profiler_DeviceSupported_Params& support);

}  // namespace hacscale::cupti
