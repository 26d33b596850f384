// The counters that fill columns, in which sets they are read, and in how many passes a chip gives them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cuda/cupti/cupti_library.hpp"
#include "profiler/instruments/instruments.hpp"

namespace hacscale::cupti {

// The counters that are read, as data: one entry a column.
//
// One more: an entry in counters.cpp, and a member of LayerReadings. Tests go over the list.

// Counters that are read together. Each set is a schedule of its own, so that a column whose metrics are divided by
// each other has them from the same pass: the standard set takes one (tests/profiler/instruments/counter_config).
enum class CounterSet {
    standard,
    throughput  // only with InstrumentOptions::sm_throughput: it takes many passes
};

// The sets that these options ask for.
std::span<const CounterSet> counter_sets(const InstrumentOptions& options);

// How a column follows from CUPTI's values of its metrics.
enum class Measure {
    percent,          // of one metric: a share, of at most 1 but for noise
    quotient,         // the first over the second
    part,             // the first over the sum of both
    percent_of_busy,  // the first in percent, times the second over the third
    amount            // the column is what CUPTI gives
};

constexpr std::size_t max_metrics_of_a_column = 3;

struct CounterMetric {
    std::string_view column;  // of the table
    std::array<const char*, max_metrics_of_a_column>
        cupti_names;  // CUPTI's; null from the first that is none
    Measure measure;
    std::optional<double> LayerReadings::*value;
    CounterSet set;
    // Chips that CUPTI knows and on which it has no such metric, and why.
    std::span<const std::string_view> absent_on;
    std::string_view absence;

    std::span<const char* const> names() const;
    bool absent(std::string_view chip) const;
    // What the column holds where CUPTI gives `read`, one value a name; not a number where nothing was counted.
    double in_column(std::span<const double> read) const;
};

std::span<const CounterMetric> counter_metrics();

// Which counters a chip gives, and in how many passes: CUPTI's host API, which needs no device.

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
