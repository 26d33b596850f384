// A table as the records that a report reads: its rows, its verified networks and its device. It has no
// comparisons.
#pragma once

#include "profiler/table/table.hpp"
#include "report/records/records.hpp"

namespace hacscale::cli {}
namespace hacscale::harness {
using namespace cli;
}

namespace hacscale::cli {

std::vector<report::MeasuredRow> measured_rows(const Table& table);
report::Records records_of(const Table& table);

}  // namespace hacscale::cli
