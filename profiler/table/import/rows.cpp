#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/text/wording.hpp"
#include "models/ops/layer_spec.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/import/import.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

constexpr double max_latency_us = 1e12;  // eleven days
constexpr std::int64_t max_count = std::int64_t{1} << 53;

constexpr std::array shape_columns{
    "kind",    "in_channels", "out_channels", "height", "width",    "kernel",           "stride", "groups",
    "padding", "dilation",    "activation",   "bias",   "residual", "squeeze_channels", "gate"};
// Those that make a conv more than its sizes.
constexpr std::array form_columns{"padding", "activation", "bias", "residual"};
constexpr std::array other_columns{"device", "software", "latency_ms", "ci95_ms"};

std::vector<std::string> known_columns() {
    std::vector<std::string> known = export_column_names();
    known.insert(known.end(), shape_columns.begin(), shape_columns.end());
    known.insert(known.end(), other_columns.begin(), other_columns.end());
    return known;
}

LayerKind kind_from_name(const TabularRow& row) {
    constexpr std::array kinds{
        LayerKind::conv,     LayerKind::transposed_conv, LayerKind::linear,         LayerKind::max_pool,
        LayerKind::avg_pool, LayerKind::global_avg_pool, LayerKind::squeeze_excite, LayerKind::activation};
    std::string names;
    for (const LayerKind kind : kinds) {
        if (row.text("kind") == name_of(kind)) return kind;
        names += fmt::format("{}, ", name_of(kind));
    }
    row.fail("kind", fmt::format("one of {}or a key in the column 'layer' for other kinds", names));
}

std::string timed_by(const TabularRow& row) {
    for (const RowMethod method : {RowMethod::stopwatch, RowMethod::prefix, RowMethod::profiler}) {
        if (row.text("timed_by") == name_of(method)) return row.text("timed_by");
    }
    row.fail("timed_by", "stopwatch, prefix or profiler");
}

bool has_weights(LayerKind kind) {
    return kind == LayerKind::conv || kind == LayerKind::transposed_conv || kind == LayerKind::linear;
}

// A word of the row that `parse` knows; its list of those is in the message.
template <typename Parse>
auto named(const TabularRow& row, std::string_view column, const Parse& parse) {
    try {
        return parse(row.text(column));
    } catch (const InputError& error) {
        throw InputError(fmt::format("{}: {}: {}", row.place(), column, error.what()));
    }
}

int size_in(const TabularRow& row, std::string_view column) {
    return static_cast<int>(row.integer(column, 1, max_layer_size));
}
int size_or(const TabularRow& row, std::string_view column, int otherwise) {
    return row.has(column) ? size_in(row, column) : otherwise;
}

// "3", or "3x1" for height and width.
std::array<int, 2> pair_in(const TabularRow& row, std::string_view column, int least) {
    const std::string& text = row.text(column);
    const std::size_t cross = text.find('x');
    const auto part = [&](const std::string& digits) {
        const bool number =
            !digits.empty() && digits.size() < 6 &&
            std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
        const int value = number ? std::stoi(digits) : -1;
        if (value < least || value > max_layer_size) {
            row.fail(column,
                     fmt::format("a whole number from {} to {}, or two as in 3x1", least, max_layer_size));
        }
        return value;
    };
    if (cross == std::string::npos) return {part(text), part(text)};
    return {part(text.substr(0, cross)), part(text.substr(cross + 1))};
}

Window window_in(const TabularRow& row) {
    Window window;
    if (row.has("kernel")) window.kernel = pair_in(row, "kernel", 1);
    if (row.has("stride")) window.strides = pair_in(row, "stride", 1);
    if (row.has("dilation")) window.dilations = pair_in(row, "dilation", 1);
    std::array<int, 2> padding{};
    for (int axis = 0; axis < 2; ++axis) {
        padding[axis] = static_cast<int>((window.span(axis) - 1) / 2);
        if (window.kernel[axis] == 1) window.dilations[axis] = 1;
    }
    if (row.has("padding")) padding = pair_in(row, "padding", 0);
    window.pads = {padding[0], padding[1], padding[0], padding[1]};
    return window;
}

LayerSpec layer_of_columns(const TabularRow& row) {
    LayerSpec layer;
    layer.kind = kind_from_name(row);
    const bool windowed = layer.kind == LayerKind::conv || layer.kind == LayerKind::transposed_conv ||
                          layer.kind == LayerKind::max_pool || layer.kind == LayerKind::avg_pool;
    layer.in_channels = size_in(row, "in_channels");
    layer.out_channels = has_weights(layer.kind) ? size_in(row, "out_channels") : layer.in_channels;
    layer.in_height = layer.kind == LayerKind::linear ? size_or(row, "height", 1) : size_in(row, "height");
    layer.in_width = size_or(row, "width", layer.in_height);
    if (windowed) layer.window = window_in(row);
    if (row.has("groups")) {
        layer.groups = row.text("groups") == "depthwise" ? layer.in_channels : size_in(row, "groups");
    }
    layer.bias = row.flag_or("bias", layer.bias);
    layer.residual = row.flag_or("residual", false);
    if (row.has("activation")) layer.activation = named(row, "activation", activation_from_name);
    if (row.has("gate")) layer.gate = named(row, "gate", activation_from_name);
    layer.squeeze_channels = size_or(row, "squeeze_channels", 0);
    for (const std::string_view column : {"out_channels", "kernel", "stride", "dilation", "padding"}) {
        const bool fits = column == "out_channels" ? has_weights(layer.kind) : windowed;
        if (!fits && row.has(column)) {
            row.fail(column, fmt::format("nothing for a layer of the kind {}", name_of(layer.kind)));
        }
    }
    return layer;
}

class RowReader {
public:
    RowReader(const TabularFile& file, const ImportSettings& settings) : file_(file), settings_(settings) {}

    ImportedRows read(const std::string& origin) {
        ImportedRows imported;
        if (file_.rows.empty()) throw InputError(origin + ": has no rows");
        const std::string device = common("device", settings_.device);
        const std::string software = common("software", settings_.software);
        imported.device = imported_device(device, software);
        std::map<RowKey, const TabularRow*> known;
        for (const TabularRow& source : file_.rows) {
            ++imported.entries;
            const Row row = row_of(source);
            const auto [other, is_new] = known.emplace(row.key, &source);
            if (!is_new) {
                throw InputError(fmt::format("{}: the same layer in the same state as {}: {}", source.place(),
                                             other->second->place(), row.key.layer.key()));
            }
            if (!of_sizes_alone(source, row.key.layer)) {
                imported.rows.push_back(row);
                continue;
            }
            const std::vector<LayerSpec> forms = detail::forms_of(row.key.layer, settings_);
            if (forms.empty()) {
                imported.ignored.push_back(fmt::format("{}: no network given has such a conv: {}",
                                                       source.place(), row.key.layer.key()));
            }
            for (const LayerSpec& form : forms) {
                imported.rows.push_back(row);
                imported.rows.back().key.layer = form;
            }
        }
        return imported;
    }

private:
    // What all rows have in common, or the settings have.
    std::string common(std::string_view column, const std::string& given) const {
        std::string value = given;
        const TabularRow* first = nullptr;
        for (const TabularRow& row : file_.rows) {
            if (!row.has(column)) continue;
            if (value.empty()) value = row.text(column);
            if (row.text(column) != value) {
                row.fail(column, fmt::format("'{}'{}; a table is of one device and its software", value,
                                             first == nullptr ? "" : " as in " + first->place()));
            }
            if (first == nullptr) first = &row;
        }
        return value;
    }

    bool of_sizes_alone(const TabularRow& row, const LayerSpec& layer) const {
        return layer.kind == LayerKind::conv && !row.has("layer") && !settings_.networks.empty() &&
               std::none_of(form_columns.begin(), form_columns.end(),
                            [&](std::string_view column) { return row.has(column); });
    }

    static LayerSpec layer_of(const TabularRow& row) {
        if (!row.has("layer")) {
            if (!row.has("kind")) {
                throw InputError(
                    fmt::format("{}: has neither a layer's key ('layer') nor its 'kind'", row.place()));
            }
            return layer_of_columns(row);
        }
        for (const std::string_view column : shape_columns) {
            if (row.has(column)) row.fail(column, "nothing beside a layer's key, which says it");
        }
        return named(row, "layer", LayerSpec::from_key);
    }

    Row row_of(const TabularRow& source) const {
        Row row;
        row.key.layer = layer_of(source);
        if (const auto problem = validate(row.key.layer)) {
            throw InputError(fmt::format("{}: {}", source.place(), *problem));
        }
        if (LayerSpec::from_key(row.key.layer.key()) != row.key.layer) {
            throw InputError(
                fmt::format("{}: has values that a layer of the kind {} does not use; its key would be {}",
                            source.place(), name_of(row.key.layer.kind), row.key.layer.key()));
        }
        row.key.batch = static_cast<int>(source.integer_or("batch", 1, max_batch, settings_.batch));
        row.key.type = source.has("dtype") ? named(source, "dtype", data_type_from_name) : settings_.type;
        row.key.cache = source.has("cache") ? named(source, "cache", cache_state_from_name) : settings_.cache;
        const std::int64_t footprint = source.integer_or("footprint_bytes", 0, max_count, 0);
        if (row.key.cache == CacheState::network) {
            row.key.footprint_bytes = footprint_bucket(footprint);
        } else if (footprint != 0) {
            source.fail("footprint_bytes", "0 for the cache states warm and cold");
        }
        row.status = source.has("status") ? named(source, "status", row_status_from_name) : RowStatus::ok;
        set_latency(source, row);
        set_columns(source, row);
        if (row.status != RowStatus::ok && row.reason.empty())
            row.reason = "the imported file gives no reason";
        return row;
    }

    static double time_us(const TabularRow& source, std::string_view column, double factor) {
        const double value = source.number(column) * factor;
        if (!(value > 0.0 && value <= max_latency_us)) {
            source.fail(column, "a time above 0 and of at most eleven days");
        }
        return value;
    }

    static void set_latency(const TabularRow& source, Row& row) {
        const bool us = source.has("latency_us");
        const bool ms = source.has("latency_ms");
        if (!has_latency(row.status)) {
            if (us)
                source.fail("latency_us", fmt::format("none, because the row is {}", name_of(row.status)));
            if (ms)
                source.fail("latency_ms", fmt::format("none, because the row is {}", name_of(row.status)));
            return;
        }
        if (us && ms) source.fail("latency_ms", "latency_us or latency_ms, not both");
        if (!us && !ms)
            throw InputError(fmt::format("{}: has neither latency_us nor latency_ms", source.place()));
        row.latency_us = us ? time_us(source, "latency_us", 1.0) : time_us(source, "latency_ms", us_a_ms);
        for (const auto& [column, factor] : {std::pair{"ci95_us", 1.0}, std::pair{"ci95_ms", us_a_ms}}) {
            if (!source.has(column)) continue;
            row.ci95_us = source.number(column) * factor;
            if (!(row.ci95_us >= 0.0 && row.ci95_us <= max_latency_us))
                source.fail(column, "a time of 0 or more");
        }
    }

    // What else a row of an export has.
    static void set_columns(const TabularRow& source, Row& row) {
        for (const RowColumn& column : row_columns()) {
            const bool is_set =
                column.name == "latency_us" || column.name == "ci95_us" || column.name == "status";
            if (is_set || !source.has(column.name)) continue;
            try {
                column.set(row, value_of(source, column));
            } catch (const InputError& error) {
                throw InputError(fmt::format("{}: {}: {}", source.place(), column.name, error.what()));
            }
        }
    }

    static ColumnValue value_of(const TabularRow& source, const RowColumn& column) {
        if (column.type == ColumnType::integer) return source.integer(column.name, 0, max_count);
        if (column.name == "timed_by") return timed_by(source);
        if (column.type != ColumnType::real) return source.text(column.name);
        constexpr double max_share = 1.0 + 1e-9;  // as rounded as an instrument's
        const double value = source.number(column.name);
        if (column.range == ColumnRange::share && !(value >= 0.0 && value <= max_share)) {
            source.fail(column.name, "a share of 0 to 1");
        }
        if (value < 0.0) source.fail(column.name, "0 or more");
        if (column.name == "pace_us" && value == 0.0) source.fail(column.name, "a time above 0");
        return value;
    }

    const TabularFile& file_;
    const ImportSettings& settings_;
};

}  // namespace

ImportedRows import_rows(const std::filesystem::path& file, TabularFormat format,
                         const ImportSettings& settings) {
    const TabularFile content = read_tabular(file, format, "rows", known_columns());
    return RowReader(content, settings).read(file.string());
}

}  // namespace hacscale
