#include "profiler/table/detail/row_codec.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace hacscale::detail {

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

void bind_row(Statement& replace_row, std::int64_t layer_id, const Row& row) {
    const bool has_value = has_latency(row.status);
    int index = 0;
    replace_row.bind(++index, layer_id);
    replace_row.bind(++index, std::int64_t{row.key.batch});
    replace_row.bind(++index, name_of(row.key.type));
    replace_row.bind(++index, name_of(row.key.cache));
    replace_row.bind(++index, row.key.footprint_bytes);
    replace_row.bind(++index, name_of(row.status));
    replace_row.bind(++index, row.reason);
    replace_row.bind(++index, has_value ? std::optional(row.latency_us) : std::nullopt);
    replace_row.bind(++index, has_value ? std::optional(row.ci95_us) : std::nullopt);
    replace_row.bind(++index, row.samples);
    replace_row.bind(++index, row.implementation);
    replace_row.bind(++index, row.occupancy_theoretical);
    replace_row.bind(++index, row.occupancy_grid_limited);
    replace_row.bind(++index, row.occupancy_achieved);
    replace_row.bind(++index, row.energy_mj);
    replace_row.bind(++index, row.carrier);
    replace_row.bind(++index, row.measured_at);
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
        row.key.batch = static_cast<int>(statement.integer(1));
        row.key.type = data_type_from_name(statement.text(2));
        row.key.cache = cache_state_from_name(statement.text(3));
        row.key.footprint_bytes = statement.integer(4);
        row.status = row_status_from_name(statement.text(5));
        row.reason = statement.text(6);
        row.latency_us = statement.real(7);  // an absent value reads as 0
        row.ci95_us = statement.real(8);
        row.samples = statement.integer(9);
        row.implementation = statement.text(10);
        row.occupancy_theoretical = statement.optional_real(11);
        row.occupancy_grid_limited = statement.optional_real(12);
        row.occupancy_achieved = statement.optional_real(13);
        row.energy_mj = statement.optional_real(14);
        row.carrier = statement.text(15);
        row.measured_at = statement.text(16);
        return row;
    } catch (const InputError& error) {
        throw InputError(
            fmt::format("{}: a row cannot be read: {}; see `hacscale table check`", file_, error.what()));
    }
}

}  // namespace hacscale::detail
