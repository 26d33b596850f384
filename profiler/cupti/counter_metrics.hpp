// The counters that are read, as data: one entry a column.
//
// One more: an entry in counter_metrics.cpp, and a member of LayerReadings. Tests go over the list.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "profiler/instruments.hpp"

namespace hacscale::cupti {

// What a metric tells, which says how its column follows from CUPTI's value.
enum class Measure {
    share,  // CUPTI gives it in percent; the column is a fraction, of at most 1 but for noise
    amount  // the column is what CUPTI gives
};

struct CounterMetric {
    std::string_view column;  // of the table
    const char* name;         // CUPTI's name of it
    Measure measure;
    std::optional<double> LayerReadings::*value;
    bool on_request;  // only with InstrumentOptions::sm_throughput
    // Chips that CUPTI knows and on which it has no such metric, and why.
    std::span<const std::string_view> absent_on;
    std::string_view absence;

    bool absent(std::string_view chip) const;
    // What the column holds where CUPTI gives `read`.
    double in_column(double read) const { return measure == Measure::share ? 0.01 * read : read; }
};

std::span<const CounterMetric> counter_metrics();

}  // namespace hacscale::cupti
