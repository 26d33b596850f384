#include "profiler/table/detail/row_codec.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
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

// Parameters of replace_row_sql() begin at 1, columns of row_columns() have the layer's key in front.
constexpr int parameter_of(std::string_view column) {
    return column_of(column) + 1;
}
constexpr int selected(std::string_view column) {
    return column_of(column) + 1;
}

std::string text_of(const std::map<std::string, std::string>& reasons) {
    if (reasons.empty()) return {};
    return nlohmann::json(reasons).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::map<std::string, std::string> reasons_of(std::string_view text) {
    if (text.empty()) return {};
    try {
        return nlohmann::json::parse(text).get<std::map<std::string, std::string>>();
    } catch (const nlohmann::json::exception& error) {
        throw InputError(fmt::format("its missing_reasons are no JSON object of texts: {}", error.what()));
    }
}

std::string row_columns() {
    return "l.key, " + list_of_columns("m.");
}

std::string replace_row_sql() {
    return fmt::format("INSERT OR REPLACE INTO measurement ({}) VALUES ({})", list_of_columns(""),
                       parameters(measurement_columns.size()));
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
    insert_layer.bind(++index, name_of(layer.kind));
    insert_layer.bind(++index, name_of(layer.activation));
    insert_layer.bind(++index, name_of(layer.gate));
    for (const int value : {static_cast<int>(layer.bias), static_cast<int>(layer.residual), layer.in_channels,
                            layer.in_height, layer.in_width, layer.out_channels, layer.kernel, layer.stride,
                            layer.padding, layer.groups, layer.squeeze_channels}) {
        insert_layer.bind(++index, std::int64_t{value});
    }
    insert_layer.bind(++index, name_of(layer.layout));
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
    const bool has_value = has_latency(row.status);
    bind_key(replace_row, layer_id, row.key);
    replace_row.bind(parameter_of("status"), name_of(row.status));
    replace_row.bind(parameter_of("reason"), row.reason);
    replace_row.bind(parameter_of("latency_us"), has_value ? std::optional(row.latency_us) : std::nullopt);
    replace_row.bind(parameter_of("ci95_us"), has_value ? std::optional(row.ci95_us) : std::nullopt);
    replace_row.bind(parameter_of("samples"), row.samples);
    replace_row.bind(parameter_of("implementation"), row.implementation);
    replace_row.bind(parameter_of("carrier"), row.carrier);
    replace_row.bind(parameter_of("measured_at"), row.measured_at);
    for (const ReadingColumn& column : reading_columns) {
        replace_row.bind(parameter_of(column.name), row.readings.*column.value);
    }
    replace_row.bind(parameter_of("throttle_reasons"), row.readings.throttle_reasons);
    replace_row.bind(parameter_of("missing_reasons"), text_of(row.readings.reasons));
    replace_row.bind(parameter_of("pace_us"), row.pace_us);
    replace_row.bind(parameter_of("timed_by"), row.timed_by);
    replace_row.bind(parameter_of("overhead_us"), row.overhead_us);
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
        row.key.batch = static_cast<int>(statement.integer(selected("batch")));
        row.key.type = data_type_from_name(statement.text(selected("dtype")));
        row.key.cache = cache_state_from_name(statement.text(selected("cache")));
        row.key.footprint_bytes = statement.integer(selected("footprint_bytes"));
        row.status = row_status_from_name(statement.text(selected("status")));
        row.reason = statement.text(selected("reason"));
        row.latency_us = statement.real(selected("latency_us"));  // an absent value reads as 0
        row.ci95_us = statement.real(selected("ci95_us"));
        row.samples = statement.integer(selected("samples"));
        row.implementation = statement.text(selected("implementation"));
        row.carrier = statement.text(selected("carrier"));
        row.measured_at = statement.text(selected("measured_at"));
        for (const ReadingColumn& column : reading_columns) {
            row.readings.*column.value = statement.optional_real(selected(column.name));
        }
        row.readings.throttle_reasons = statement.text(selected("throttle_reasons"));
        row.readings.reasons = reasons_of(statement.text(selected("missing_reasons")));
        row.pace_us = statement.optional_real(selected("pace_us"));
        row.timed_by = statement.text(selected("timed_by"));
        row.overhead_us = statement.optional_real(selected("overhead_us"));
        return row;
    } catch (const InputError& error) {
        throw InputError(
            fmt::format("{}: a row cannot be read: {}; see `hacscale table check`", file_, error.what()));
    }
}

}  // namespace hacscale::detail
