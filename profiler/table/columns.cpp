#include "profiler/table/columns.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

// A member of the row, or of its readings.
template <auto Member, typename AnyRow>
auto& member_of(AnyRow& row) {
    if constexpr (std::is_invocable_v<decltype(Member), AnyRow&>) {
        return std::invoke(Member, row);
    } else {
        return std::invoke(Member, row.readings);
    }
}

template <auto Member>
ColumnValue get_member(const Row& row) {
    const auto& member = member_of<Member>(row);
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, std::optional<double>>) {
        return member ? ColumnValue(*member) : ColumnValue();
    } else {
        return member;
    }
}

std::optional<double> real_or_absent(const ColumnValue& value) {
    const double* real = std::get_if<double>(&value);
    return real != nullptr ? std::optional(*real) : std::nullopt;
}

template <auto Member>
void set_member(Row& row, ColumnValue value) {
    auto& member = member_of<Member>(row);
    using Type = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Type, std::optional<double>>) {
        member = real_or_absent(value);
    } else {
        member = std::get<Type>(std::move(value));
    }
}

template <auto Member>
constexpr RowColumn value(std::string_view name, int since, ColumnRange range = ColumnRange::any) {
    using Type = std::remove_cvref_t<decltype(member_of<Member>(std::declval<Row&>()))>;
    const ColumnType type = std::is_same_v<Type, std::string>    ? ColumnType::text
                            : std::is_same_v<Type, std::int64_t> ? ColumnType::integer
                                                                 : ColumnType::real;
    return {name, type, since, range, false, get_member<Member>, set_member<Member>};
}

template <auto Member>
constexpr RowColumn reading(std::string_view name, int since, ColumnRange range = ColumnRange::positive) {
    RowColumn column = value<Member>(name, since, range);
    column.reading = true;
    return column;
}

// A figure of rows that have a latency.
template <double Row::*Member>
constexpr RowColumn latency_column(std::string_view name) {
    return {name,
            ColumnType::real,
            1,
            ColumnRange::any,
            false,
            [](const Row& row) { return has_latency(row.status) ? ColumnValue(row.*Member) : ColumnValue(); },
            [](Row& row, ColumnValue value) { row.*Member = real_or_absent(value).value_or(0.0); }};
}

constexpr RowColumn status_column{
    "status",
    ColumnType::text,
    1,
    ColumnRange::any,
    false,
    [](const Row& row) { return ColumnValue(std::string(name_of(row.status))); },
    [](Row& row, ColumnValue value) { row.status = row_status_from_name(std::get<std::string>(value)); }};

std::map<std::string, std::string> reasons_of(std::string_view text) {
    if (text.empty()) return {};
    try {
        return nlohmann::json::parse(text).get<std::map<std::string, std::string>>();
    } catch (const nlohmann::json::exception&) {
        throw InputError("its missing_reasons are no JSON object of texts");
    }
}

constexpr RowColumn reasons_column{
    "missing_reasons",
    ColumnType::json,
    2,
    ColumnRange::any,
    false,
    [](const Row& row) {
        if (row.readings.reasons.empty()) return ColumnValue(std::string());
        return ColumnValue(nlohmann::json(row.readings.reasons)
                               .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    },
    [](Row& row, ColumnValue value) { row.readings.reasons = reasons_of(std::get<std::string>(value)); }};

constexpr std::array all_columns{
    latency_column<&Row::latency_us>("latency_us"),
    latency_column<&Row::ci95_us>("ci95_us"),
    value<&Row::samples>("samples", 1),
    status_column,
    value<&Row::reason>("reason", 1),
    reading<&Readings::kernel_time_us>("kernel_time_us", 2),
    reading<&Readings::occupancy_theoretical>("occupancy_theoretical", 1, ColumnRange::share),
    reading<&Readings::occupancy_grid_limited>("occupancy_grid_limited", 1, ColumnRange::share),
    reading<&Readings::occupancy_achieved>("occupancy_achieved", 1, ColumnRange::share),
    reading<&Readings::tensor_active>("tensor_active", 2, ColumnRange::share),
    reading<&Readings::sm_busy>("sm_busy", 2, ColumnRange::share),
    reading<&Readings::l2_hit_rate>("l2_hit_rate", 2, ColumnRange::share),
    reading<&Readings::dram_bytes>("dram_bytes", 2),
    reading<&Readings::sm_throughput>("sm_throughput", 2, ColumnRange::share),
    reading<&Readings::energy_mj>("energy_mj", 1),
    reading<&Readings::sm_clock_mhz>("sm_clock_mhz", 2),
    reading<&Readings::memory_clock_mhz>("memory_clock_mhz", 2),
    reading<&Readings::temperature_c>("temperature_c", 2),
    reading<&Readings::power_w>("power_w", 2),
    value<&Readings::throttle_reasons>("throttle_reasons", 2),
    reasons_column,
    value<&Row::implementation>("implementation", 1),
    value<&Row::host_network>("carrier", 1),
    value<&Row::measured_at>("measured_at", 1),
    value<&Row::reference_us>("pace_us", 3),
    value<&Row::timed_by>("timed_by", 4),
    value<&Row::overhead_us>("overhead_us", 4),
    value<&Row::min_us>("min_us", 5, ColumnRange::positive),
};

}  // namespace

std::span<const RowColumn> row_columns() {
    return all_columns;
}

}  // namespace hacscale
