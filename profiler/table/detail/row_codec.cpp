#include "profiler/table/detail/row_codec.hpp"

#include <fmt/format.h>

#include <optional>
#include <variant>

#include "base/error.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/detail/layer_columns.hpp"
#include "profiler/table/detail/schema.hpp"

namespace hacscale::detail {
namespace {

constexpr std::string_view of_row =
    "layer_id = ? AND batch = ? AND dtype = ? AND cache = ? AND footprint_bytes = ?";

std::string parameters(std::size_t count) {
    std::string list = "?";
    for (std::size_t i = 1; i < count; ++i) list += ", ?";
    return list;
}

// Where the columns behind the row's key begin: as parameters, which SQLite counts from 1, and as selected columns, which
// have the layer's key in front.
constexpr int first_parameter = static_cast<int>(key_columns.size()) + 1;
constexpr int first_selected = static_cast<int>(key_columns.size()) + 1;

void bind_value(Statement& statement, int index, const ColumnValue& value) {
    struct Bind {
        Statement& statement;
        int index;
        void operator()(std::monostate) const { statement.bind_null(index); }
        void operator()(std::int64_t integer) const { statement.bind(index, integer); }
        void operator()(double real) const { statement.bind(index, real); }
        void operator()(const std::string& text) const { statement.bind(index, std::string_view(text)); }
    };
    std::visit(Bind{statement, index}, value);
}

ColumnValue read_value(const Statement& statement, int index, ColumnType type) {
    if (type == ColumnType::integer) return statement.integer(index);
    if (type != ColumnType::real) return std::string(statement.text(index));
    const std::optional<double> real = statement.optional_real(index);
    return real ? ColumnValue(*real) : ColumnValue();
}

void bind_column(Statement& statement, int index, const LayerColumn& column, const LayerSpec& layer) {
    std::visit([&](const auto& value) { statement.bind(index, value); }, column.value(layer));
}

}  // namespace

int batch_in(std::int64_t batch) {
    if (batch < 1 || batch > max_batch) {
        throw InputError(fmt::format("its batch is {}, expected 1 to {}", batch, max_batch));
    }
    return static_cast<int>(batch);
}

std::string selected_columns() {
    return "l.key, " + list_of_columns("m.");
}

std::string insert_layer_sql() {
    return fmt::format("INSERT INTO layer (key, {}) VALUES ({}) ON CONFLICT (key) DO NOTHING",
                       list_of_layer_columns(), parameters(layer_columns().size() + 1));
}

std::string replace_row_sql() {
    return fmt::format("INSERT OR REPLACE INTO measurement ({}) VALUES ({})", list_of_columns(""),
                       parameters(key_columns.size() + row_columns().size()));
}

std::string delete_kernels_sql() {
    return fmt::format("DELETE FROM kernel WHERE {}", of_row);
}

std::string insert_kernel_sql() {
    constexpr std::size_t columns = 21;
    return fmt::format("INSERT INTO kernel ({}) VALUES ({})", kernel_columns, parameters(columns));
}

std::string select_kernels_sql() {
    return fmt::format(
        "SELECT name, grid_x, grid_y, grid_z, block_x, block_y, block_z, registers_per_thread, "
        "static_shared_bytes, dynamic_shared_bytes, duration_us, cluster_x, cluster_y, cluster_z, "
        "max_active_clusters "
        "FROM kernel WHERE {} ORDER BY position",
        of_row);
}

void bind_layer(Statement& insert_layer, const LayerSpec& layer, std::string_view key) {
    int index = 0;
    insert_layer.bind(++index, key);
    for (const LayerColumn& column : layer_columns()) bind_column(insert_layer, ++index, column, layer);
}

std::string family_condition() {
    std::string conditions;
    for (const LayerColumn& column : layer_columns()) {
        if (!column.of_family) continue;
        conditions += fmt::format("{}l.{} = ?", conditions.empty() ? "" : " AND ", column.name);
    }
    return conditions;
}

int bind_family(Statement& select, int index, const LayerSpec& layer) {
    for (const LayerColumn& column : layer_columns()) {
        if (column.of_family) bind_column(select, ++index, column, layer);
    }
    return index;
}

int bind_key(Statement& statement, std::int64_t layer_id, const RowKey& key) {
    int index = 0;
    statement.bind(++index, layer_id);
    statement.bind(++index, std::int64_t{key.batch});
    statement.bind(++index, name_of(key.type));
    statement.bind(++index, name_of(key.cache));
    statement.bind(++index, key.footprint_bytes);
    return index;
}

void bind_row(Statement& replace_row, std::int64_t layer_id, const Row& row) {
    bind_key(replace_row, layer_id, row.key);
    int index = first_parameter;
    for (const RowColumn& column : row_columns()) bind_value(replace_row, index++, column.get(row));
}

void bind_kernel(Statement& insert_kernel, std::int64_t layer_id, const RowKey& key, std::int64_t position,
                 const KernelLaunch& kernel) {
    int index = bind_key(insert_kernel, layer_id, key);
    insert_kernel.bind(++index, position);
    insert_kernel.bind(++index, kernel.name);
    for (const std::int64_t size : kernel.grid) insert_kernel.bind(++index, size);
    for (const std::int64_t size : kernel.block) insert_kernel.bind(++index, size);
    insert_kernel.bind(++index, std::int64_t{kernel.registers_per_thread});
    insert_kernel.bind(++index, kernel.static_shared_bytes);
    insert_kernel.bind(++index, kernel.dynamic_shared_bytes);
    insert_kernel.bind(++index, kernel.duration_us);
    for (const std::int64_t size : kernel.cluster) insert_kernel.bind(++index, size);
    insert_kernel.bind(++index, kernel.max_active_clusters);
}

KernelLaunch read_kernel(const Statement& select_kernels) {
    KernelLaunch kernel;
    int index = 0;
    kernel.name = select_kernels.text(index);
    for (std::int64_t& size : kernel.grid) size = select_kernels.integer(++index);
    for (std::int64_t& size : kernel.block) size = select_kernels.integer(++index);
    kernel.registers_per_thread = static_cast<int>(select_kernels.integer(++index));
    kernel.static_shared_bytes = select_kernels.integer(++index);
    kernel.dynamic_shared_bytes = select_kernels.integer(++index);
    kernel.duration_us = select_kernels.real(++index);
    for (std::int64_t& size : kernel.cluster) size = select_kernels.integer(++index);
    kernel.max_active_clusters = select_kernels.integer(++index);
    return kernel;
}

Row RowReader::read(const Statement& statement) {
    try {
        const std::string_view key = statement.text(0);
        if (key != last_key_) {
            last_layer_ = LayerSpec::from_key(key);
            last_key_ = key;
        }
        Row row;
        row.key.layer = last_layer_;
        row.key.batch = batch_in(statement.integer(2));
        row.key.type = data_type_from_name(statement.text(3));
        row.key.cache = cache_state_from_name(statement.text(4));
        row.key.footprint_bytes = statement.integer(5);
        int index = first_selected;
        for (const RowColumn& column : row_columns()) {
            column.set(row, read_value(statement, index++, column.type));
        }
        return row;
    } catch (const InputError& error) {
        throw InputError(
            fmt::format("{}: a row cannot be read: {}; see `hacscale table check`", file_, error.what()));
    }
}

}  // namespace hacscale::detail
