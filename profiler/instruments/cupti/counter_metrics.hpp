// The counters that are read, as data: one entry a column.
//
// One more: an entry in counter_metrics.cpp, and a member of LayerReadings. Tests go over the list.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "profiler/instruments/instruments.hpp"

namespace hacscale::cupti {

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

}  // namespace hacscale::cupti
