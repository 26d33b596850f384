// How a ratio with an interval is written.
#pragma once

#include <optional>
#include <string>

#include "base/statistics.hpp"
#include "report/document/document.hpp"

namespace hacscale::report {

// "×0.912 (0.905 to 0.919)"; without known intervals the ratio alone. What is within noise says so.
std::string ratio_text(const LatencyRatio& ratio, bool certain);
// Three cells: the ratio, and for the CSV file the ends of its interval where it is known.
void add_ratio_cells(const std::optional<LatencyRatio>& ratio, bool certain, TableRow& row);

}  // namespace hacscale::report
