// A table's rows in the form of Google Benchmark's JSON output, for its tools/compare.py and for programs
// that collect such files. Described in docs/formats.md, "Google Benchmark's JSON".
#pragma once

#include <ostream>

#include "profiler/table/export_summary.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

// One benchmark a row that has a latency; compare.py stops at entries without a time.
ExportSummary write_google_benchmark(const Table& table, const RowFilter& filter, std::ostream& out);

}  // namespace hacscale
