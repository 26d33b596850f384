#include "profiler/table/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "models/layer_cost.hpp"

namespace hacscale {
namespace {

// monostate: absent.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

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

struct Column {
    std::string_view name;
    Cell (*value)(const Entry&);
};

// One list for both forms. Names are part of the program's interface: they are added to, never renamed.
constexpr std::array columns{
    Column{"layer", [](const Entry& e) -> Cell { return e.row.key.layer.key(); }},
    Column{"batch", [](const Entry& e) -> Cell { return std::int64_t{e.row.key.batch}; }},
    Column{"dtype", [](const Entry& e) -> Cell { return std::string(name_of(e.row.key.type)); }},
    Column{"cache", [](const Entry& e) -> Cell { return std::string(name_of(e.row.key.cache)); }},
    Column{"footprint_bytes", [](const Entry& e) -> Cell { return e.row.key.footprint_bytes; }},
    Column{"latency_us", [](const Entry& e) { return cell_of(e.latency_us()); }},
    Column{"ci95_us", [](const Entry& e) { return e.latency_us() ? Cell(e.row.ci95_us) : Cell(); }},
    Column{"samples", [](const Entry& e) -> Cell { return e.row.samples; }},
    Column{"status", [](const Entry& e) -> Cell { return std::string(name_of(e.row.status)); }},
    Column{"reason", [](const Entry& e) -> Cell { return e.row.reason; }},
    Column{"utilization", [](const Entry& e) { return cell_of(e.utilization()); }},
    Column{"utilization_reason", [](const Entry& e) -> Cell { return e.utilization_reason(); }},
    Column{"roofline_efficiency", [](const Entry& e) { return cell_of(e.roofline_efficiency()); }},
    Column{"occupancy_theoretical", [](const Entry& e) { return cell_of(e.row.occupancy_theoretical); }},
    Column{"occupancy_grid_limited", [](const Entry& e) { return cell_of(e.row.occupancy_grid_limited); }},
    Column{"occupancy_achieved", [](const Entry& e) { return cell_of(e.row.occupancy_achieved); }},
    Column{"energy_mj", [](const Entry& e) { return cell_of(e.row.energy_mj); }},
    Column{"macs", [](const Entry& e) -> Cell { return e.cost.macs; }},
    Column{"flops", [](const Entry& e) -> Cell { return e.cost.flops(); }},
    Column{"bytes", [](const Entry& e) -> Cell { return e.cost.bytes; }},
    Column{"flops_per_s", [](const Entry& e) { return cell_of(e.rate(e.cost.flops())); }},
    Column{"bytes_per_s", [](const Entry& e) { return cell_of(e.rate(e.cost.bytes)); }},
    Column{"implementation", [](const Entry& e) -> Cell { return e.row.implementation; }},
    Column{"carrier", [](const Entry& e) -> Cell { return e.row.carrier; }},
    Column{"measured_at", [](const Entry& e) -> Cell { return e.row.measured_at; }},
};

void for_each_entry(const Table& table, const RowFilter& filter,
                    const std::function<void(const Entry&)>& visit) {
    std::map<DataType, std::optional<PeakRecord>> peaks;
    for (const DataType type : all_data_types) peaks[type] = table.peak(type);
    table.for_each(filter, [&](const Row& row) {
        visit({row, peaks[row.key.type], cost_of(row.key.layer, row.key.batch, row.key.type)});
    });
}

void require_written(const std::ostream& out) {
    if (out) return;
    throw WorkError("the rows cannot be written: the output was closed or its disk is full; write elsewhere");
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
};

struct JsonValue {
    nlohmann::ordered_json operator()(std::monostate) const { return nullptr; }
    template <typename Value>
    nlohmann::ordered_json operator()(const Value& value) const {
        return value;
    }
};

}  // namespace

void write_csv(const Table& table, const RowFilter& filter, std::ostream& out) {
    std::string_view separator;
    for (const Column& column : columns) {
        out << separator << column.name;
        separator = ",";
    }
    out << "\r\n";
    for_each_entry(table, filter, [&](const Entry& entry) {
        separator = "";
        for (const Column& column : columns) {
            out << separator << std::visit(CsvText{}, column.value(entry));
            separator = ",";
        }
        out << "\r\n";
        require_written(out);
    });
    require_written(out.flush());
}

void write_json(const Table& table, const RowFilter& filter, std::ostream& out) {
    out << '[';
    std::string_view separator = "\n";
    for_each_entry(table, filter, [&](const Entry& entry) {
        nlohmann::ordered_json object;
        for (const Column& column : columns) {
            object[std::string(column.name)] = std::visit(JsonValue{}, column.value(entry));
        }
        // A text that is not UTF-8, which a library's message may be, is shown with replacement characters.
        out << separator << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
        separator = ",\n";
        require_written(out);
    });
    out << "\n]\n";
    require_written(out.flush());
}

}  // namespace hacscale
