// The counters that are read, as data: one entry a column.
//
// One more: an entry in counter_metrics.cpp, and a member of LayerReadings. Tests go over the list.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "profiler/instruments.hpp"

namespace hacscale::cupti {

// The scale of the metrics that CUPTI gives in percent: the columns are shares.
inline constexpr double percent = 0.01;

struct CounterMetric {
    std::string_view column;  // of the table
    const char* name;         // CUPTI's name of it
    double scale;             // the column is the metric times this
    std::optional<double> LayerReadings::*value;
    bool on_request;  // only with InstrumentOptions::sm_throughput
    // Chips that CUPTI knows and on which it has no such metric, and why.
    std::span<const std::string_view> absent_on;
    std::string_view absence;

    bool absent(std::string_view chip) const;
};

std::span<const CounterMetric> counter_metrics();

}  // namespace hacscale::cupti
