// What a measured network has beside its latency: images a second, and how long its slower passes take. Keys
// that several records share (docs/formats.md, "Records of a run").
#pragma once

#include <optional>

#include "profiler/timing/statistics.hpp"
#include "records/optional_json.hpp"

namespace hacscale::cli {

double images_per_s(int batch, double latency_us);

// Adds images_per_s, p95_us, p99_us, passes and percentiles_reason. What was not measured is null.
void add_throughput(Json& json, int batch, const std::optional<double>& latency_us,
                    const UpperPercentiles& upper);
// The percentiles of such an object; none where it is of a program that did not write them.
UpperPercentiles percentiles_in(const Json& json);

}  // namespace hacscale::cli
