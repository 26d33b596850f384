// Which counters a chip gives, and in how many passes: CUPTI's host API, which needs no device.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "profiler/instruments/cupti/counter_metrics.hpp"
#include "profiler/instruments/cupti/cupti_library.hpp"

namespace hacscale::cupti {

// CUPTI's object that knows a chip's metrics.
class ProfilerHost {
public:
    // chip: "GH100". availability: what the device at hand says it has (cuptiProfilerGetCounterAvailability),
    // kept alive by the caller; null for a chip that is only known by name. Throws CuptiFailure.
    ProfilerHost(const CuptiLibrary& cupti, const std::string& chip, const std::uint8_t* availability);
    ~ProfilerHost();
    ProfilerHost(const ProfilerHost&) = delete;
    ProfilerHost& operator=(const ProfilerHost&) = delete;

    CUpti_Profiler_Host_Object* get() const { return host_; }

private:
    const CuptiLibrary& cupti_;
    CUpti_Profiler_Host_Object* host_ = nullptr;
};

struct CounterConfig {
    std::vector<const CounterMetric*> metrics;   // those the chip has, among those asked for
    std::vector<const char*> names;              // theirs, one after the other, as CUPTI wants them
    std::map<std::string, std::string> reasons;  // by column: why a metric asked for is not among them
    std::vector<std::uint8_t> image;             // CUPTI's schedule of their collection
    std::size_t passes = 0;
};

// Throws CuptiFailure: the library does not know the chip.
CounterConfig counter_config(const CuptiLibrary& cupti, const std::string& chip, CounterSet set,
                             const std::uint8_t* availability = nullptr);

}  // namespace hacscale::cupti
