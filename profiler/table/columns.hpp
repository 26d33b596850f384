// The columns of a row, in one list. The SQL table `measurement` with its upgrades, the codec, merge, both exports and
// the check go over it, so that a new column is a member of Row and an entry here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "profiler/table/row.hpp"

namespace hacscale {

enum class ColumnType : std::uint8_t {
    integer,
    real,  // may be absent
    text,
    json,  // the text of an object; empty where there is nothing to say
};

// The values that a sound row may have; `table check` reports others.
enum class ColumnRange : std::uint8_t {
    any,       // or checked by itself
    share,     // 0 to 1
    positive,  // finite, 0 or more
};

using ColumnValue = std::variant<std::monostate, std::int64_t, double, std::string>;

struct RowColumn {
    std::string_view name;  // with its unit; never changed
    ColumnType type = ColumnType::real;
    int since = 1;  // the first schema that has it
    ColumnRange range = ColumnRange::any;
    bool reading = false;  // of a device's instruments: Readings::reasons says why a figure is absent
    ColumnValue (*get)(const Row& row) = nullptr;
    // Throws InputError for a text that no row has. The value has the column's type, or is absent in a real one.
    void (*set)(Row& row, ColumnValue value) = nullptr;
};

// In the order of the exports; the row's key is not among them.
std::span<const RowColumn> row_columns();

}  // namespace hacscale
