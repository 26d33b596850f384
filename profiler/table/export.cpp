#include "profiler/table/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "models/ops/layer_spec.hpp"
#include "profiler/table/columns.hpp"

namespace hacscale {
namespace {

// A text that is JSON itself: CSV shows it as it is.
struct JsonText {
    std::string text;
};
// monostate: absent.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, JsonText>;

Cell cell_of(const std::optional<double>& value) {
    if (!value) return {};
    return *value;
}

// A row together with what its columns are computed from.
struct Entry {
    const Row& row;
    const std::optional<PeakRecord>& peak;
    LayerCost cost;

    std::optional<double> latency_us() const {
        if (!has_latency(row.status)) return std::nullopt;
        return row.latency_us;
    }
    // `count` a second of this row's latency.
    std::optional<double> rate(std::int64_t count) const {
        if (!latency_us()) return std::nullopt;
        return static_cast<double>(count) / (row.latency_us * 1e-6);
    }
    std::optional<double> utilization() const {
        if (!latency_us() || !peak || peak->flops_per_s <= 0.0) return std::nullopt;
        return *rate(cost.flops()) / peak->flops_per_s;
    }
    std::string utilization_reason() const {
        if (!latency_us()) return fmt::format("no latency: the row is {}", name_of(row.status));
        if (!utilization()) return fmt::format("the table has no peak for {}", name_of(row.key.type));
        return {};
    }
    std::optional<double> roofline_efficiency() const {
        if (!utilization() || peak->bytes_per_s <= 0.0) return std::nullopt;
        return std::max(*utilization(), *rate(cost.bytes) / peak->bytes_per_s);
    }
};

struct ExportColumn {
    std::string_view name;
    std::function<Cell(const Entry&)> value;
};

// What follows from a row, behind the column of the row that is named.
struct DerivedColumns {
    std::string_view behind;
    std::vector<ExportColumn> columns;
};

const std::vector<DerivedColumns>& derived_columns() {
    static const std::vector<DerivedColumns> list{
        {"reason",
         {{"utilization", [](const Entry& e) { return cell_of(e.utilization()); }},
          {"utilization_reason", [](const Entry& e) -> Cell { return e.utilization_reason(); }},
          {"roofline_efficiency", [](const Entry& e) { return cell_of(e.roofline_efficiency()); }}}},
        {"missing_reasons",
         {{"macs", [](const Entry& e) -> Cell { return e.cost.macs; }},
          {"flops", [](const Entry& e) -> Cell { return e.cost.flops(); }},
          {"bytes", [](const Entry& e) -> Cell { return e.cost.bytes; }},
          {"flops_per_s", [](const Entry& e) { return cell_of(e.rate(e.cost.flops())); }},
          {"bytes_per_s", [](const Entry& e) { return cell_of(e.rate(e.cost.bytes)); }}}},
    };
    return list;
}

Cell cell_of(const RowColumn& column, const Row& row) {
    const auto cell = [&column](auto&& value) -> Cell {
        if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, std::string>) {
            if (column.type == ColumnType::json) {
                return value.empty() ? Cell() : Cell(JsonText{std::forward<decltype(value)>(value)});
            }
        }
        return std::forward<decltype(value)>(value);
    };
    return std::visit(cell, column.get(row));
}

// One list for both forms. Names are part of the program's interface: they are added to, never renamed.
std::vector<ExportColumn> make_columns() {
    std::vector<ExportColumn> columns{
        {"layer", [](const Entry& e) -> Cell { return e.row.key.layer.key(); }},
        {"batch", [](const Entry& e) -> Cell { return std::int64_t{e.row.key.batch}; }},
        {"dtype", [](const Entry& e) -> Cell { return std::string(name_of(e.row.key.type)); }},
        {"cache", [](const Entry& e) -> Cell { return std::string(name_of(e.row.key.cache)); }},
        {"footprint_bytes", [](const Entry& e) -> Cell { return e.row.key.footprint_bytes; }},
    };
    for (const RowColumn& column : row_columns()) {
        columns.push_back({column.name, [&column](const Entry& e) { return cell_of(column, e.row); }});
        for (const DerivedColumns& derived : derived_columns()) {
            if (derived.behind != column.name) continue;
            columns.insert(columns.end(), derived.columns.begin(), derived.columns.end());
        }
    }
    return columns;
}

const std::vector<ExportColumn>& columns() {
    static const std::vector<ExportColumn> list = make_columns();
    return list;
}

void for_each_entry(const Table& table, const RowFilter& filter,
                    const std::function<void(const Entry&)>& visit) {
    std::map<DataType, std::optional<PeakRecord>> peaks;
    for (const DataType type : all_data_types) peaks[type] = table.peak(type);
    table.for_each(filter, [&](const Row& row) {
        visit({row, peaks[row.key.type], cost_of(row.key.layer, row.key.batch, row.key.type)});
    });
}

std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result = "\"";
    for (const char character : text) {
        if (character == '"') result += '"';
        result += character;
    }
    return result + '"';
}

struct CsvText {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(std::int64_t value) const { return fmt::to_string(value); }
    // fmt writes the shortest digits that read back to the same double.
    std::string operator()(double value) const { return std::isfinite(value) ? fmt::to_string(value) : ""; }
    std::string operator()(const std::string& text) const { return quoted(text); }
    std::string operator()(const JsonText& json) const { return quoted(json.text); }
};

struct PlainValue {
    ColumnValue operator()(const JsonText& json) const { return json.text; }
    template <typename Value>
    ColumnValue operator()(const Value& value) const {
        return value;
    }
};

struct JsonValue {
    nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
    nlohmann::ordered_json operator()(const JsonText& json) const {
        return nlohmann::ordered_json::parse(json.text);
    }
    template <typename Value>
    nlohmann::ordered_json operator()(const Value& value) const {
        return value;
    }
};

}  // namespace

void detail::require_written(const std::ostream& out) {
    if (out) return;
    throw WorkError("the rows cannot be written: the output was closed or its disk is full; write elsewhere");
}

std::vector<std::string> export_column_names() {
    std::vector<std::string> names;
    for (const ExportColumn& column : columns()) names.emplace_back(column.name);
    return names;
}

std::vector<ExportedColumn> exported_columns(const Table& table, const RowFilter& filter) {
    std::vector<ExportedColumn> exported;
    for (const std::string& name : export_column_names()) exported.push_back({name, {}});
    for_each_entry(table, filter, [&](const Entry& entry) {
        for (std::size_t i = 0; i < exported.size(); ++i) {
            exported[i].values.push_back(std::visit(PlainValue{}, columns()[i].value(entry)));
        }
    });
    return exported;
}

void write_csv(const Table& table, const RowFilter& filter, std::ostream& out) {
    std::string_view separator;
    for (const ExportColumn& column : columns()) {
        out << separator << column.name;
        separator = ",";
    }
    out << "\r\n";
    for_each_entry(table, filter, [&](const Entry& entry) {
        separator = "";
        for (const ExportColumn& column : columns()) {
            out << separator << std::visit(CsvText{}, column.value(entry));
            separator = ",";
        }
        out << "\r\n";
        detail::require_written(out);
    });
    detail::require_written(out.flush());
}

void write_json(const Table& table, const RowFilter& filter, std::ostream& out) {
    out << '[';
    std::string_view separator = "\n";
    for_each_entry(table, filter, [&](const Entry& entry) {
        nlohmann::ordered_json object;
        for (const ExportColumn& column : columns()) {
            object[std::string(column.name)] = std::visit(JsonValue{}, column.value(entry));
        }
        // A text that is not UTF-8, which a library's message may be, is shown with replacement characters.
        out << separator << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
        separator = ",\n";
        detail::require_written(out);
    });
    out << "\n]\n";
    detail::require_written(out.flush());
}

}  // namespace hacscale
