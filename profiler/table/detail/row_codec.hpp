// Rows to and from the columns of the SQL tables `layer` and `measurement`.
#pragma once

#include <string>
#include <string_view>

#include "profiler/table/detail/sqlite.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::detail {

// "key" followed by the columns of a measurement without layer_id, qualified for `layer` as l and
// `measurement` as m.
constexpr std::string_view row_columns =
    "l.key, m.batch, m.dtype, m.cache, m.footprint_bytes, m.status, m.reason, m.latency_us, m.ci95_us, "
    "m.samples, m.implementation, m.occupancy_theoretical, m.occupancy_grid_limited, m.occupancy_achieved, "
    "m.energy_mj, m.carrier, m.measured_at";
// The order of query(): by the layer's text key, then by the rest of the row's key.
constexpr std::string_view row_order = "l.key, m.batch, m.dtype, m.cache, m.footprint_bytes";

constexpr std::string_view insert_layer_sql =
    "INSERT INTO layer (key, kind, activation, gate, bias, residual, in_channels, in_height, in_width, "
    "out_channels, kernel, stride, padding, \"groups\", squeeze_channels, layout) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING";
constexpr std::string_view replace_row_sql =
    "INSERT OR REPLACE INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

void bind_layer(Statement& insert_layer, const LayerSpec& layer, std::string_view key);
void bind_row(Statement& replace_row, std::int64_t layer_id, const Row& row);

// Reads rows whose columns are row_columns. Rows of one layer come one after another, so its key is parsed
// once.
class RowReader {
public:
    explicit RowReader(std::string file) : file_(std::move(file)) {}
    // Throws InputError naming the file where a text is none that a table has.
    Row read(const Statement& statement);

private:
    std::string file_;
    std::string last_key_;
    LayerSpec last_layer_;
};

}  // namespace hacscale::detail
