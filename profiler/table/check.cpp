#include "profiler/table/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/sqlite/sqlite.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/detail/layer_columns.hpp"
#include "profiler/table/detail/schema.hpp"
#include "profiler/table/detail/table_file.hpp"
#include "profiler/table/row.hpp"

namespace hacscale {
namespace {

using detail::Database;
using detail::Statement;

constexpr int max_findings_of_one_sort = 20;

// Findings of one sort share the words of `sort`, which also stand in the line that counts those left out.
class Findings {
public:
    void add(Severity severity, const std::string& sort, const std::string& where) {
        int& count = counts_[{severity, sort}];
        if (++count <= max_findings_of_one_sort) {
            list_.push_back({severity, fmt::format("{}: {}", where, sort)});
        }
    }
    std::vector<Finding> finish() {
        for (const auto& [sort, count] : counts_) {
            const int left_out = count - max_findings_of_one_sort;
            if (left_out > 0) {
                list_.push_back({sort.first, fmt::format("{} more: {}", left_out, sort.second)});
            }
        }
        return std::move(list_);
    }

private:
    std::map<std::pair<Severity, std::string>, int> counts_;
    std::vector<Finding> list_;
};

void check_file(const Database& database, Findings& findings) {
    // A quick check passes over rows out of their order, which some queries find and others do not.
    Statement check = database.prepare("PRAGMA integrity_check(20)");
    while (check.step()) {
        if (check.text(0) == "ok") continue;
        findings.add(Severity::error,
                     "SQLite finds the file damaged; restore it from a copy or measure again",
                     std::string(check.text(0)));
    }
}

// The columns exist beside the key for queries by family, so they must say what the key says.
void check_layers(const Database& database, Findings& findings, TableCheck& result) {
    Statement select = database.prepare(
        fmt::format("SELECT key, {} FROM layer ORDER BY key", detail::list_of_layer_columns()));
    while (select.step()) {
        ++result.layers;
        const std::string key(select.text(0));
        std::optional<LayerSpec> layer;
        try {
            layer = LayerSpec::from_key(key);
        } catch (const InputError& error) {
            findings.add(Severity::error, "the key is none of a layer", error.what());
            continue;
        }
        bool same = layer->key() == key;
        int index = 0;
        for (const detail::LayerColumn& column : detail::layer_columns()) {
            const auto value = column.value(*layer);
            ++index;
            if (const auto* const text = std::get_if<std::string_view>(&value)) {
                same = same && select.text(index) == *text;
            } else if (const auto* const real = std::get_if<double>(&value)) {
                same = same && select.real(index) == *real;
            } else {
                same = same && select.integer(index) == std::get<std::int64_t>(value);
            }
        }
        if (!same) findings.add(Severity::error, "the layer's columns differ from its key", key);
    }
}

// A row as it is in the file, before its texts are taken for names.
struct RawRow {
    std::string where;
    std::string_view cache;
    std::string_view status;
    bool has_reason = false;
    std::int64_t footprint_bytes = 0;
    std::optional<double> latency_us;
    std::optional<double> ci95_us;
};

void check_values(const RawRow& row, Findings& findings) {
    const bool valued = row.status == "ok" || row.status == "noisy";
    if (!valued) {
        if (row.latency_us) findings.add(Severity::error, "a row without success has a latency", row.where);
        if (!row.has_reason) findings.add(Severity::error, "the row has no value and no reason", row.where);
        return;
    }
    if (!row.latency_us || !std::isfinite(*row.latency_us) || *row.latency_us <= 0.0) {
        findings.add(Severity::error, "the latency is not finite and positive", row.where);
        return;
    }
    if (!row.ci95_us || !std::isfinite(*row.ci95_us) || *row.ci95_us < 0.0) {
        findings.add(Severity::error, "the interval is not finite and positive", row.where);
    } else if (*row.ci95_us > *row.latency_us) {
        findings.add(Severity::warning, "the interval is wider than the latency itself", row.where);
    }
    if (row.status == "noisy" && !row.has_reason) {
        findings.add(Severity::warning, "the row is noisy without a reason", row.where);
    }
}

void check_footprint(const RawRow& row, Findings& findings) {
    if (row.cache != "network") {
        if (row.footprint_bytes != 0) {
            findings.add(Severity::error, "only rows of the network state have a footprint", row.where);
        }
    } else if (row.footprint_bytes != footprint_bucket(row.footprint_bytes)) {
        findings.add(Severity::error,
                     "the footprint is no half octave, so it may duplicate the row of its neighbour",
                     row.where);
    }
}

template <typename FromName>
void check_name(FromName from_name, std::string_view name, const std::string& where, Findings& findings) {
    try {
        from_name(name);
    } catch (const InputError& error) {
        findings.add(Severity::error, error.what(), where);
    }
}

void check_range(const RowColumn& column, double value, const std::string& where, Findings& findings) {
    if (column.range == ColumnRange::share && !(value >= 0.0 && value <= max_share)) {
        findings.add(Severity::error, fmt::format("{} is outside 0 to 1", column.name), where);
    } else if (column.range != ColumnRange::any && !(std::isfinite(value) && value >= 0.0)) {
        findings.add(Severity::error, fmt::format("{} is not finite and positive", column.name), where);
    }
}

// Figures and JSON; what the other columns may hold is checked where their rows are counted.
void check_columns(const Statement& select, int first_column, const std::string& where, Findings& findings) {
    int index = first_column;
    for (const RowColumn& column : row_columns()) {
        if (const std::optional<double> value = select.optional_real(index);
            value && column.type == ColumnType::real) {
            check_range(column, *value, where, findings);
        } else if (column.type == ColumnType::json) {
            const auto set = [&column](std::string_view text) {
                Row row;
                column.set(row, std::string(text));
            };
            check_name(set, select.text(index), where, findings);
        } else if (column.type == ColumnType::text) {
            const auto read = [&](std::string_view) { return select.text(index); };
            check_name(read, "", where, findings);
        }
        ++index;
    }
}

void check_kernels(const Database& database, Findings& findings) {
    Statement select = database.prepare(
        "SELECT k.name, k.duration_us, m.layer_id IS NULL FROM kernel AS k LEFT JOIN measurement AS m "
        "ON m.layer_id = k.layer_id AND m.batch = k.batch AND m.dtype = k.dtype AND m.cache = k.cache "
        "AND m.footprint_bytes = k.footprint_bytes");
    while (select.step()) {
        const std::string name(select.text(0));
        if (select.integer(2) != 0) findings.add(Severity::error, "the kernel's row is missing", name);
        if (!(select.real(1) >= 0.0)) findings.add(Severity::error, "the kernel's time is negative", name);
    }
}

void count_status(std::string_view status, const std::string& where, Findings& findings, TableCheck& result) {
    ++result.rows;
    if (status == "ok") {
        ++result.ok;
    } else if (status == "noisy") {
        ++result.noisy;
    } else if (status == "failed") {
        ++result.failed;
    } else if (status == "unsupported") {
        ++result.unsupported;
    } else {
        findings.add(Severity::error, "the status is none of ok, noisy, failed, unsupported", where);
    }
}

void check_rows(const Database& database, Findings& findings, TableCheck& result) {
    constexpr int first_column = 10;
    std::string sql =
        "SELECT l.key, m.batch, m.dtype, m.cache, m.footprint_bytes, m.status, m.reason <> '', m.latency_us, "
        "m.ci95_us, m.layer_id";
    for (const RowColumn& column : row_columns()) sql += fmt::format(", m.{}", column.name);
    Statement select =
        database.prepare(sql + " FROM measurement AS m LEFT JOIN layer AS l ON l.id = m.layer_id");
    while (select.step()) {
        RawRow row;
        const std::string key = select.is_null(0) ? fmt::format("layer number {}", select.integer(9))
                                                  : std::string(select.text(0));
        row.where = fmt::format("{} batch {} {} {} footprint {}", key, select.integer(1), select.text(2),
                                select.text(3), select.integer(4));
        row.cache = select.text(3);
        row.footprint_bytes = select.integer(4);
        row.status = select.text(5);
        row.has_reason = select.integer(6) != 0;
        row.latency_us = select.optional_real(7);
        row.ci95_us = select.optional_real(8);
        if (select.is_null(0)) findings.add(Severity::error, "the row's layer is missing", row.where);
        if (select.integer(1) < 1 || select.integer(1) > max_batch) {
            findings.add(Severity::error, fmt::format("the batch is not from 1 to {}", max_batch), row.where);
        }
        check_name(data_type_from_name, select.text(2), row.where, findings);
        check_name(cache_state_from_name, row.cache, row.where, findings);
        count_status(row.status, row.where, findings, result);
        check_values(row, findings);
        check_footprint(row, findings);
        check_columns(select, first_column, row.where, findings);
    }
}

void check_peaks(const Database& database, Findings& findings) {
    Statement missing = database.prepare(
        "SELECT DISTINCT dtype FROM measurement WHERE dtype NOT IN (SELECT dtype FROM peak) ORDER BY dtype");
    while (missing.step()) {
        findings.add(Severity::warning, "rows have no peak to be compared with, so no utilization",
                     std::string(missing.text(0)));
    }
    Statement wrong =
        database.prepare("SELECT dtype FROM peak WHERE NOT (flops_per_s > 0 AND bytes_per_s > 0)");
    while (wrong.step()) {
        findings.add(Severity::error, "the peak is not positive", std::string(wrong.text(0)));
    }
}

void check_verifications(const Database& database, Findings& findings) {
    Statement select = database.prepare(
        "SELECT model, batch, dtype, cache, predicted_us, measured_us, ci95_us, model_hash, measured_at FROM "
        "verification ORDER BY id");
    while (select.step()) {
        const std::string where = fmt::format("the verification of {}", select.text(0));
        if (select.integer(1) < 1 || select.integer(1) > max_batch) {
            findings.add(Severity::error, fmt::format("the batch is not from 1 to {}", max_batch), where);
        }
        check_name(data_type_from_name, select.text(2), where, findings);
        check_name(cache_state_from_name, select.text(3), where, findings);
        const auto is_time = [&](int column) {
            return std::isfinite(select.real(column)) && select.real(column) > 0.0;
        };
        if (!is_time(4) || !is_time(5) || !(std::isfinite(select.real(6)) && select.real(6) >= 0.0)) {
            findings.add(Severity::error, "a latency is not finite and positive", where);
        }
        for (const int text : {7, 8}) (void)select.text(text);  // which refuses what is no UTF-8
    }
}

// Rows of two ways to time a layer do not add up to one network.
void check_methods(const Database& database, Findings& findings) {
    Statement wrong = database.prepare(
        "SELECT count(*) FROM measurement WHERE timed_by NOT IN ('', 'stopwatch', 'prefix', 'profiler') OR "
        "(overhead_us IS NOT NULL AND NOT overhead_us >= 0)");
    wrong.step();
    if (wrong.integer(0) > 0) {
        findings.add(Severity::error, "how they were timed is unknown, or the clock took less than nothing",
                     fmt::format("{} rows", wrong.integer(0)));
    }
    Statement both = database.prepare(
        "SELECT dtype, sum(timed_by = 'prefix'), sum(timed_by <> 'prefix') FROM measurement WHERE cache = "
        "'network' "
        "AND latency_us IS NOT NULL GROUP BY dtype HAVING sum(timed_by = 'prefix') > 0 AND "
        "sum(timed_by <> 'prefix') > 0 ORDER BY dtype");
    while (both.step()) {
        findings.add(Severity::warning,
                     "rows are timed in two ways, which do not add up; `hacscale profile --rows` measures "
                     "those of the "
                     "other way again",
                     fmt::format("{} rows by prefixes and {} by the stopwatch in {}", both.integer(1),
                                 both.integer(2), both.text(0)));
    }
}

// Rows of a slow machine beside rows of a fast one.
void check_speeds(const Database& database, Findings& findings) {
    Statement wrong =
        database.prepare("SELECT count(*) FROM measurement WHERE pace_us IS NOT NULL AND NOT pace_us > 0");
    wrong.step();
    if (wrong.integer(0) > 0) {
        findings.add(Severity::error, "the pace is not positive", fmt::format("{} rows", wrong.integer(0)));
    }
    Statement slower = database.prepare(
        "SELECT m.dtype, count(*), max(m.pace_us) / f.pace_us FROM measurement AS m JOIN "
        "(SELECT dtype, min(pace_us) AS pace_us FROM measurement WHERE latency_us IS NOT NULL GROUP BY "
        "dtype) AS f ON f.dtype = m.dtype WHERE m.latency_us IS NOT NULL AND m.pace_us > ? * f.pace_us "
        "GROUP BY m.dtype ORDER BY m.dtype");
    slower.bind(1, slower_machine_from);
    while (slower.step()) {
        findings.add(Severity::warning,
                     "rows were measured while the machine was slower than for others; `hacscale profile` "
                     "measures them again",
                     fmt::format("{} rows in {}, up to {:.2f} times slower", slower.integer(1),
                                 slower.text(0), slower.real(2)));
    }
}

void warn_of_incomplete_rows(const TableCheck& result, const std::string& file, Findings& findings) {
    const auto warn = [&](std::int64_t count, const char* what) {
        if (count > 0) {
            findings.add(Severity::warning, fmt::format("{} of {} rows {}", count, result.rows, what), file);
        }
    };
    warn(result.noisy, "are noisy");
    warn(result.failed, "failed");
    warn(result.unsupported, "are of layers that the device does not support");
    if (result.rows == 0) findings.add(Severity::warning, "the table has no rows", file);
}

}  // namespace

bool TableCheck::sound() const {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& finding) { return finding.severity == Severity::error; });
}

TableCheck check_table(const std::filesystem::path& file) {
    const Database database = detail::open_table_file(file, false);
    TableCheck result;
    Findings findings;
    try {
        check_file(database, findings);
        detail::read_device(database);
        check_layers(database, findings, result);
        check_rows(database, findings, result);
        check_kernels(database, findings);
        check_peaks(database, findings);
        check_verifications(database, findings);
        check_speeds(database, findings);
        check_methods(database, findings);
        warn_of_incomplete_rows(result, file.string(), findings);
    } catch (const InputError& error) {
        // Damage that stops the reading: what was found before it still counts.
        findings.add(Severity::error, "the rest of the file cannot be checked", error.what());
    }
    result.findings = findings.finish();
    return result;
}

}  // namespace hacscale
