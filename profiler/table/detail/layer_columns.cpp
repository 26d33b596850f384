#include "profiler/table/detail/layer_columns.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>

namespace hacscale::detail {
namespace {

using Value = LayerColumnValue;

// The number that the key says, which is the one that somebody searches for: 0.1, not the f32 next to it.
double decimal_of(Parameter parameter) {
    if (parameter == Parameter()) return 0.0;
    const std::string text = fmt::format("{}", parameter.value());
    double value = 0.0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

constexpr std::array column_list{
    LayerColumn{"kind", [](const LayerSpec& layer) -> Value { return name_of(layer.kind); }},
    LayerColumn{"activation", [](const LayerSpec& layer) -> Value { return name_of(layer.activation); }},
    LayerColumn{"gate", [](const LayerSpec& layer) -> Value { return name_of(layer.gate); }},
    LayerColumn{"bias", [](const LayerSpec& layer) -> Value { return std::int64_t{layer.bias}; }},
    LayerColumn{"residual", [](const LayerSpec& layer) -> Value { return std::int64_t{layer.residual}; }},
    LayerColumn{"in_channels", [](const LayerSpec& layer) -> Value { return layer.in_channels; }, false},
    LayerColumn{"in_height", [](const LayerSpec& layer) -> Value { return layer.in_height; }},
    LayerColumn{"in_width", [](const LayerSpec& layer) -> Value { return layer.in_width; }},
    LayerColumn{"out_channels", [](const LayerSpec& layer) -> Value { return layer.out_channels; }, false},
    // Of the window's height and its top side; the others follow since schema 5.
    LayerColumn{"kernel", [](const LayerSpec& layer) -> Value { return layer.window.kernel[0]; }},
    LayerColumn{"stride", [](const LayerSpec& layer) -> Value { return layer.window.strides[0]; }},
    LayerColumn{"padding", [](const LayerSpec& layer) -> Value { return layer.window.pads[0]; }},
    LayerColumn{"\"groups\"", [](const LayerSpec& layer) -> Value { return layer.groups; }, false},
    LayerColumn{"squeeze_channels", [](const LayerSpec& layer) -> Value { return layer.squeeze_channels; },
                false},
    LayerColumn{"layout", [](const LayerSpec& layer) -> Value { return name_of(layer.layout); }},
    LayerColumn{"kernel_width", [](const LayerSpec& layer) -> Value { return layer.window.kernel[1]; }, true,
                5, "kernel"},
    LayerColumn{"stride_width", [](const LayerSpec& layer) -> Value { return layer.window.strides[1]; }, true,
                5, "stride"},
    LayerColumn{"padding_left", [](const LayerSpec& layer) -> Value { return layer.window.pads[1]; }, true, 5,
                "padding"},
    LayerColumn{"padding_bottom", [](const LayerSpec& layer) -> Value { return layer.window.pads[2]; }, true,
                5, "padding"},
    LayerColumn{"padding_right", [](const LayerSpec& layer) -> Value { return layer.window.pads[3]; }, true,
                5, "padding"},
    LayerColumn{"dilation", [](const LayerSpec& layer) -> Value { return layer.window.dilations[0]; }, true,
                5, "1"},
    LayerColumn{"dilation_width", [](const LayerSpec& layer) -> Value { return layer.window.dilations[1]; },
                true, 5, "1"},
    LayerColumn{"mode", [](const LayerSpec& layer) -> Value { return name_of(layer.mode); }, true, 6,
                "'plain'"},
    LayerColumn{"inputs", [](const LayerSpec& layer) -> Value { return layer.inputs; }, true, 6, "1"},
    LayerColumn{"first_channel", [](const LayerSpec& layer) -> Value { return layer.first_channel; }, false,
                6, "0"},
    LayerColumn{"size_height", [](const LayerSpec& layer) -> Value { return layer.size[0]; }, true, 6, "0"},
    LayerColumn{"size_width", [](const LayerSpec& layer) -> Value { return layer.size[1]; }, true, 6, "0"},
    LayerColumn{"alpha", [](const LayerSpec& layer) -> Value { return decimal_of(layer.alpha); }, true, 6,
                "0.0"},
    LayerColumn{"epsilon", [](const LayerSpec& layer) -> Value { return decimal_of(layer.epsilon); }, true, 6,
                "0.0"},
};

std::string sql_of(const LayerColumn& column) {
    constexpr std::array<std::string_view, std::variant_size_v<Value>> types{"INTEGER", "REAL", "TEXT"};
    return fmt::format("{} {} NOT NULL{}", column.name, types[column.value(LayerSpec{}).index()],
                       column.since > 1 ? " DEFAULT 0" : "");
}

}  // namespace

std::span<const LayerColumn> layer_columns() {
    return column_list;
}

std::string list_of_layer_columns() {
    std::string list;
    for (const LayerColumn& column : column_list) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", column.name);
    }
    return list;
}

std::string create_layer_sql() {
    std::string list;
    for (const LayerColumn& column : column_list) list += ", " + sql_of(column);
    // `layer_family` serves interpolation: everything but channels is equal. Few families differ in the columns of
    // schemas 5 and 6 alone, so these are looked at row by row.
    return fmt::format(
        "CREATE TABLE layer (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE{}) STRICT;"
        "CREATE INDEX layer_family ON layer ("
        "kind, in_height, in_width, kernel, stride, padding, activation, gate, bias, residual, layout);",
        list);
}

std::string upgrade_layers_sql(std::int64_t version) {
    std::string added;
    std::string values;
    for (const LayerColumn& column : column_list) {
        if (column.since <= version) continue;
        added += fmt::format("ALTER TABLE layer ADD COLUMN {};", sql_of(column));
        values += fmt::format("{}{} = {}", values.empty() ? "" : ", ", column.name, column.before);
    }
    return added.empty() ? "" : fmt::format("{}UPDATE layer SET {};", added, values);
}

std::string select_layers(std::string_view database, std::int64_t version) {
    std::string list;
    for (const LayerColumn& column : column_list) {
        list += column.since <= version ? fmt::format(", {}", column.name)
                                        : fmt::format(", {} AS {}", column.before, column.name);
    }
    return fmt::format("SELECT id, key{} FROM {}.layer", list, database);
}

}  // namespace hacscale::detail
