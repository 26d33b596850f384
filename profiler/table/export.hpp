// A table's rows as CSV or JSON, with the quantities that follow from them. Columns are described in
// docs/formats.md, "Exported columns". Both forms carry the same columns under the same names, numbers that read
// back to the same double, and are written row by row.
#pragma once

#include <ostream>

#include "profiler/table/table.hpp"

namespace hacscale {

// RFC 4180 with a header line; lines end with CR LF; an absent value is an empty cell.
void write_csv(const Table& table, const RowFilter& filter, std::ostream& out);

// An array with one object a row; an absent value is null, with its reason beside it.
void write_json(const Table& table, const RowFilter& filter, std::ostream& out);

}  // namespace hacscale
