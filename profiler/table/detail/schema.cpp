#include "profiler/table/detail/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "profiler/table/columns.hpp"
#include "profiler/table/detail/layer_columns.hpp"

namespace hacscale::detail {
namespace {

namespace fs = std::filesystem;

// The primary key of `measurement` is the row's key; WITHOUT ROWID stores rows in its order, which makes all
// footprints of a layer neighbours; `kernel` has the same key and the kernel's place.
constexpr const char* schema_sql = R"sql(
CREATE TABLE device (
    id TEXT NOT NULL, name TEXT NOT NULL, fingerprint TEXT NOT NULL, properties TEXT NOT NULL) STRICT;
CREATE TABLE peak (
    dtype TEXT PRIMARY KEY, flops_per_s REAL NOT NULL, bytes_per_s REAL NOT NULL, nominal_flops_per_s REAL,
    nominal_bytes_per_s REAL) STRICT, WITHOUT ROWID;
CREATE TABLE verification (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_hash TEXT NOT NULL, batch INTEGER NOT NULL,
    dtype TEXT NOT NULL, cache TEXT NOT NULL, predicted_us REAL NOT NULL, measured_us REAL NOT NULL,
    ci95_us REAL NOT NULL, measured_at TEXT NOT NULL) STRICT;
)sql";

constexpr const char* kernel_sql = R"sql(
CREATE TABLE kernel (
    layer_id INTEGER NOT NULL REFERENCES layer (id), batch INTEGER NOT NULL, dtype TEXT NOT NULL,
    cache TEXT NOT NULL, footprint_bytes INTEGER NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,
    grid_x INTEGER NOT NULL, grid_y INTEGER NOT NULL, grid_z INTEGER NOT NULL, block_x INTEGER NOT NULL,
    block_y INTEGER NOT NULL, block_z INTEGER NOT NULL, registers_per_thread INTEGER NOT NULL,
    static_shared_bytes INTEGER NOT NULL, dynamic_shared_bytes INTEGER NOT NULL, duration_us REAL NOT NULL,
    cluster_x INTEGER NOT NULL DEFAULT 0, cluster_y INTEGER NOT NULL DEFAULT 0,
    cluster_z INTEGER NOT NULL DEFAULT 0, max_active_clusters INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (layer_id, batch, dtype, cache, footprint_bytes, position)) STRICT, WITHOUT ROWID;
)sql";

// Of each SQL table of a schema, the columns that are read of it.
std::map<std::string, std::vector<std::string>> columns_of_tables(std::int64_t version) {
    std::map<std::string, std::vector<std::string>> tables{
        {"device", {"id", "name", "fingerprint", "properties"}},
        {"peak", {"dtype", "flops_per_s", "bytes_per_s", "nominal_flops_per_s", "nominal_bytes_per_s"}},
        {"verification",
         {"id", "model", "model_hash", "batch", "dtype", "cache", "predicted_us", "measured_us", "ci95_us",
          "measured_at"}}};
    std::vector<std::string>& layer = tables["layer"] = {"id", "key"};
    for (const LayerColumn& column : layer_columns()) {
        if (column.since > version) continue;
        layer.emplace_back(column.name);
        std::erase(layer.back(), '"');  // of names that SQL has words for
    }
    std::vector<std::string>& measurement = tables["measurement"];
    measurement.assign(key_columns.begin(), key_columns.end());
    for (const RowColumn& column : row_columns()) {
        if (column.since <= version) measurement.emplace_back(column.name);
    }
    if (version < 2) return tables;
    std::vector<std::string>& kernel = tables["kernel"];
    for (std::size_t begin = 0; begin < kernel_columns.size();) {
        const std::size_t end = std::min(kernel_columns.find(", ", begin), kernel_columns.size());
        const std::string_view column = kernel_columns.substr(begin, end - begin);
        if (version < 4 && column == "cluster_x") break;
        kernel.emplace_back(column);
        begin = end + 2;
    }
    return tables;
}

std::string sql_of(const RowColumn& column) {
    const bool added = column.since > 1;  // to tables that have rows
    switch (column.type) {
        case ColumnType::integer:
            return fmt::format("{} INTEGER NOT NULL{}", column.name, added ? " DEFAULT 0" : "");
        case ColumnType::real:
            return fmt::format("{} REAL", column.name);
        case ColumnType::text:
        case ColumnType::json:
            break;
    }
    return fmt::format("{} TEXT NOT NULL{}", column.name, added ? " DEFAULT ''" : "");
}

// SQLite adds columns at the end, so a new table has them in the order of their schemas too.
std::string measurement_sql() {
    std::string columns;
    for (std::int64_t version = 1; version <= schema_version; ++version) {
        for (const RowColumn& column : row_columns()) {
            if (column.since == version) columns += fmt::format("{}, ", sql_of(column));
        }
    }
    return fmt::format(
        "CREATE TABLE measurement (layer_id INTEGER NOT NULL REFERENCES layer (id), batch INTEGER NOT NULL, "
        "dtype TEXT NOT NULL, cache TEXT NOT NULL, footprint_bytes INTEGER NOT NULL, {}"
        "PRIMARY KEY (layer_id, batch, dtype, cache, footprint_bytes)) STRICT, WITHOUT ROWID;",
        columns);
}

// The columns that a table of an earlier schema lacks; its rows are not touched.
std::string add_columns_sql(std::int64_t version) {
    std::string sql;
    for (std::int64_t later = version + 1; later <= schema_version; ++later) {
        for (const RowColumn& column : row_columns()) {
            if (column.since == later) {
                sql += fmt::format("ALTER TABLE measurement ADD COLUMN {};", sql_of(column));
            }
        }
    }
    return sql;
}

constexpr const char* schema_4_kernel_sql = R"sql(
ALTER TABLE kernel ADD COLUMN cluster_x INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kernel ADD COLUMN cluster_y INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kernel ADD COLUMN cluster_z INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kernel ADD COLUMN max_active_clusters INTEGER NOT NULL DEFAULT 0;
)sql";

// Readings that programs of schemas before `since` took wrongly: the value is not shown, and this is why.
struct RetiredReading {
    std::string_view column;
    std::int64_t since;
    std::string_view reason;  // without quotes: it is part of SQL
};
constexpr std::string_view over_elapsed_time =
    "an earlier version divided it by the time from launch to wait, most of which is the host waiting; "
    "measure again";
constexpr std::array retired_readings{
    RetiredReading{"sm_busy", 4, over_elapsed_time},
    RetiredReading{"sm_throughput", 4, over_elapsed_time},
    RetiredReading{
        "l2_hit_rate", 4,
        "an earlier version divided hits of one pass over the layer by accesses of another; measure again"},
};

bool is_retired(std::string_view column, std::int64_t version) {
    return std::any_of(retired_readings.begin(), retired_readings.end(), [&](const RetiredReading& reading) {
        return reading.column == column && version < reading.since;
    });
}

// SQL of a row's missing_reasons with those of its retired readings.
std::string reasons_sql(std::int64_t version) {
    std::string added;
    for (const RetiredReading& reading : retired_readings) {
        if (version >= reading.since) continue;
        added += fmt::format("{}'{}', CASE WHEN {} IS NOT NULL THEN '{}' END", added.empty() ? "" : ", ",
                             reading.column, reading.column, reading.reason);
    }
    if (added.empty()) return "missing_reasons";
    // Patching an empty object leaves out what is NULL. Text that is no JSON stays, for `table check` to find.
    return fmt::format(
        "CASE WHEN json_patch('{{}}', json_object({0})) = '{{}}' THEN missing_reasons "
        "WHEN missing_reasons = '' THEN json_patch('{{}}', json_object({0})) "
        "WHEN json_valid(missing_reasons) THEN json_patch(missing_reasons, json_patch('{{}}', "
        "json_object({0}))) "
        "ELSE missing_reasons END",
        added);
}

// A column's value in rows of tables that do not have it.
std::string_view absent_sql(ColumnType type) {
    if (type == ColumnType::integer) return "0";
    return type == ColumnType::real ? "NULL" : "''";
}

std::string retire_sql(std::int64_t version) {
    std::string cleared;
    std::string concerned;
    for (const RetiredReading& reading : retired_readings) {
        if (version >= reading.since) continue;
        cleared += fmt::format(", {} = NULL", reading.column);
        concerned += fmt::format("{}{} IS NOT NULL", concerned.empty() ? "" : " OR ", reading.column);
    }
    return fmt::format("UPDATE measurement SET missing_reasons = {}{} WHERE {}", reasons_sql(version),
                       cleared, concerned);
}

}  // namespace

std::string list_of_columns(std::string_view prefix) {
    std::string list;
    const auto add = [&](std::string_view column) {
        list += fmt::format("{}{}{}", list.empty() ? "" : ", ", prefix, column);
    };
    for (const std::string_view column : key_columns) add(column);
    for (const RowColumn& column : row_columns()) add(column.name);
    return list;
}

std::int64_t schema_version_of(const Database& database) {
    const std::string name = database.file().string();
    const std::int64_t id = database.integer("PRAGMA application_id");
    if (id != application_id) {
        throw InputError(fmt::format(
            "{} is a SQLite file of another program (application id {}), not a table; name another file",
            name, id));
    }
    const std::int64_t version = database.integer("PRAGMA user_version");
    if (version < 1 || version > schema_version) {
        throw InputError(fmt::format(
            "{} has table schema {}, this program reads schemas 1 to {}; {}", name, version, schema_version,
            version > schema_version ? "use a newer hacscale" : "measure again into a new file"));
    }
    return version;
}

std::string select_measurements(std::string_view database, std::int64_t version) {
    std::string columns = fmt::format("{}", fmt::join(key_columns, ", "));
    for (const RowColumn& column : row_columns()) {
        const bool known = version >= column.since;
        if (known && column.name == "missing_reasons") {
            columns += fmt::format(", {} AS {}", reasons_sql(version), column.name);
        } else if (known && !is_retired(column.name, version)) {
            columns += fmt::format(", {}", column.name);
        } else {
            columns += fmt::format(", {} AS {}", absent_sql(column.type), column.name);
        }
    }
    return fmt::format("SELECT {} FROM {}.measurement", columns, database);
}

std::string select_kernels(std::string_view database, std::int64_t version) {
    if (version > 1) {
        std::string columns(kernel_columns);
        if (version < 4) {
            const std::size_t clusters = columns.find("cluster_x");
            columns.replace(clusters, std::string::npos,
                            "0 AS cluster_x, 0 AS cluster_y, 0 AS cluster_z, 0 AS max_active_clusters");
        }
        return fmt::format("SELECT {} FROM {}.kernel", columns, database);
    }
    std::string columns;  // "NULL AS layer_id, NULL AS batch, ..."
    for (const char character : fmt::format(", {}", kernel_columns)) {
        columns += character;
        if (character == ' ') columns += "NULL AS ";
    }
    return fmt::format("SELECT {} WHERE 0", columns.substr(2));
}

void upgrade(const Database& database, std::int64_t version) {
    Transaction transaction(database);
    if (version < 2) {
        database.execute(kernel_sql);
    } else if (version < 4) {
        database.execute(schema_4_kernel_sql);
    }
    database.execute(upgrade_layers_sql(version));
    database.execute(add_columns_sql(version));
    if (version < 4) database.execute(retire_sql(version));
    database.execute(fmt::format("PRAGMA user_version = {}", schema_version));
    transaction.commit();
}

void read_as_this_schema(const Database& database, std::int64_t version) {
    database.execute(fmt::format(
        "CREATE TEMP VIEW measurement AS {}; CREATE TEMP VIEW kernel AS {}; CREATE TEMP VIEW layer AS {}",
        select_measurements("main", version), select_kernels("main", version),
        select_layers("main", version)));
}

void write_schema(const fs::path& file, const DeviceRecord& device) {
    const Database database(file, Access::create);
    Transaction transaction(database);
    database.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", application_id, schema_version));
    database.execute(schema_sql);
    database.execute(create_layer_sql());
    database.execute(measurement_sql());
    database.execute(kernel_sql);
    Statement insert = database.prepare("INSERT INTO device VALUES (?, ?, ?, ?)");
    insert.bind(1, device.id);
    insert.bind(2, device.name);
    insert.bind(3, device.fingerprint);
    insert.bind(4, device.properties);
    insert.run();
    transaction.commit();
    database.execute("PRAGMA journal_mode = WAL");
}

void check_schema(const Database& database, std::int64_t version) {
    const std::string name = database.file().string();
    const auto damaged = [&name](const std::string& what) {
        throw InputError(
            fmt::format("{} {}, so it is damaged or was changed by another program; restore it from a copy "
                        "or measure again into a new file",
                        name, what));
    };
    const std::map<std::string, std::vector<std::string>> expected = columns_of_tables(version);
    const std::map<std::string, std::vector<std::string>> newest = columns_of_tables(schema_version);
    std::set<std::string> tables;
    Statement objects = database.prepare("SELECT type, name FROM main.sqlite_schema ORDER BY name");
    while (objects.step()) {
        const std::string type(objects.text(0));
        const std::string object(objects.text(1));
        if (type == "table" && expected.contains(object)) {
            tables.insert(object);
        } else if (type != "index") {
            damaged(fmt::format("has a {} {:.100}, which no table has", type, object));
        }
    }
    for (const auto& [table, columns] : expected) {
        if (!tables.contains(table)) damaged(fmt::format("lacks the table {}", table));
        std::set<std::string> there;
        Statement info = database.prepare(fmt::format("PRAGMA main.table_info({})", table));
        while (info.step()) there.emplace(info.text(1));
        for (const std::string& column : columns) {
            if (!there.contains(column)) damaged(fmt::format("lacks the column {} of {}", column, table));
            there.erase(column);
        }
        // An upgrade would add it again.
        for (const std::string& column : newest.at(table)) {
            if (!there.contains(column)) continue;
            damaged(fmt::format("has the column {} of {}, which its schema {} does not have", column, table,
                                version));
        }
    }
}

DeviceRecord read_device(const Database& database) {
    Statement select = database.prepare("SELECT id, name, fingerprint, properties FROM device");
    if (!select.step()) {
        throw InputError(fmt::format(
            "{} names no device, so it is damaged; restore it from a copy or measure again into a new file",
            database.file().string()));
    }
    DeviceRecord device{std::string(select.text(0)), std::string(select.text(1)), std::string(select.text(2)),
                        std::string(select.text(3))};
    if (is_nested_deeply(device.properties) ||
        !nlohmann::json::parse(device.properties, nullptr, false).is_object()) {
        throw InputError(
            fmt::format("{}: the properties of its device are no JSON object, so it is damaged; restore it "
                        "from a copy or measure "
                        "again into a new file",
                        database.file().string()));
    }
    return device;
}

}  // namespace hacscale::detail
