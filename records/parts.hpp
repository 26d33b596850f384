// Groups of keys that several records share, written and read. Include in .cpp files only, as records/json.hpp. Readers
// throw InputError as JsonPlace does; what they return is absent where the record has none of the keys.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/table/table.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::records {

inline constexpr std::array estimate_kinds{EstimateKind::measured, EstimateKind::interpolated,
                                           EstimateKind::missing};

// Adds widths, depths, inner_widths (null where all are derived) and resolution.
void add_choice(Json& json, const std::optional<ScalingChoice>& choice);
std::optional<ScalingChoice> choice_in(const JsonPlace& place);
ScalingChoice required_choice_in(const JsonPlace& place);

double images_per_s(int batch, double latency_us);
// Adds images_per_s, p95_us, p99_us, passes and percentiles_reason. What was not measured is null.
void add_throughput(Json& json, int batch, const std::optional<double>& latency_us,
                    const UpperPercentiles& upper);
// Without samples where an older program wrote the record.
UpperPercentiles percentiles_in(const JsonPlace& place);

std::optional<DataType> type_in(const JsonPlace& place);     // dtype
std::optional<CacheState> cache_in(const JsonPlace& place);  // cache

Json made_from_json(const MadeFrom& made_from);
std::optional<MadeFrom> made_from_in(const JsonPlace& place);  // made_from

Json device_json(const DeviceRecord& device);

}  // namespace hacscale::records
