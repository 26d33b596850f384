#include "profiler/table/merge.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/sqlite/sqlite.hpp"
#include "base/text/wording.hpp"
#include "profiler/table/detail/layer_columns.hpp"
#include "profiler/table/detail/schema.hpp"
#include "profiler/table/detail/table_file.hpp"
#include "profiler/table/detail/writer_lock.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using detail::Database;
using detail::Statement;

constexpr int max_listed_conflicts = 20;

// `overlap` keeps, for each key met more than once, the part that all intervals met so far have in common.
// Intervals on a line overlap in pairs exactly when they all share a point, so a key is in conflict when that
// part is empty.
constexpr const char* scratch_sql = R"sql(
CREATE TEMP TABLE layer_map (source_id INTEGER PRIMARY KEY, id INTEGER NOT NULL);
CREATE TEMP TABLE taken (
    source_id INTEGER NOT NULL, id INTEGER NOT NULL, batch INTEGER NOT NULL, dtype TEXT NOT NULL,
    cache TEXT NOT NULL, footprint_bytes INTEGER NOT NULL,
    PRIMARY KEY (source_id, batch, dtype, cache, footprint_bytes)) WITHOUT ROWID;
CREATE TEMP TABLE overlap (
    layer_id INTEGER NOT NULL, batch INTEGER NOT NULL, dtype TEXT NOT NULL, cache TEXT NOT NULL,
    footprint_bytes INTEGER NOT NULL, low REAL NOT NULL, high REAL NOT NULL,
    PRIMARY KEY (layer_id, batch, dtype, cache, footprint_bytes)) WITHOUT ROWID;
)sql";

// {0} are the columns of a layer behind its key, {1} selects the source's layers.
constexpr std::string_view add_layers_sql = R"sql(
INSERT INTO main.layer (key, {0}) SELECT key, {0} FROM ({1}) WHERE true ON CONFLICT (key) DO NOTHING;
DELETE FROM temp.layer_map;
INSERT INTO temp.layer_map
    SELECT s.id, l.id FROM source.layer AS s CROSS JOIN main.layer AS l ON l.key = s.key;
)sql";

constexpr const char* note_overlaps_sql = R"sql(
INSERT INTO temp.overlap
    SELECT o.layer_id, o.batch, o.dtype, o.cache, o.footprint_bytes,
           max(o.latency_us * (1 - ?1) - o.ci95_us, s.latency_us * (1 - ?1) - s.ci95_us),
           min(o.latency_us * (1 + ?1) + o.ci95_us, s.latency_us * (1 + ?1) + s.ci95_us)
    FROM temp.source_measurement AS s CROSS JOIN temp.layer_map AS map ON map.source_id = s.layer_id
        CROSS JOIN main.measurement AS o
            ON o.layer_id = map.id AND o.batch = s.batch AND o.dtype = s.dtype AND o.cache = s.cache
                AND o.footprint_bytes = s.footprint_bytes
    WHERE s.latency_us IS NOT NULL AND o.latency_us IS NOT NULL
    ON CONFLICT DO UPDATE SET low = max(low, excluded.low), high = min(high, excluded.high);
)sql";

// `taken` are the source's rows that the output lacks or that are better than the output's. The comparison is
// one of tuples: the first difference decides. Its last members only make the choice the same in every order
// of inputs.
constexpr const char* choose_rows_sql = R"sql(
DELETE FROM temp.taken;
INSERT INTO temp.taken
    SELECT s.layer_id, map.id, s.batch, s.dtype, s.cache, s.footprint_bytes
    FROM temp.source_measurement AS s CROSS JOIN temp.layer_map AS map ON map.source_id = s.layer_id
        LEFT JOIN main.measurement AS o
            ON o.layer_id = map.id AND o.batch = s.batch AND o.dtype = s.dtype AND o.cache = s.cache
                AND o.footprint_bytes = s.footprint_bytes
    WHERE o.layer_id IS NULL
        OR (s.latency_us IS NOT NULL, s.samples, -ifnull(s.ci95_us, 0), s.measured_at, ifnull(s.latency_us, 0),
            s.status, s.carrier, s.implementation, s.reason, s.missing_reasons)
        > (o.latency_us IS NOT NULL, o.samples, -ifnull(o.ci95_us, 0), o.measured_at, ifnull(o.latency_us, 0),
           o.status, o.carrier, o.implementation, o.reason, o.missing_reasons);
)sql";

// A row is taken whole, with its readings and its kernels: {0} are the columns of `measurement`, {1} those of `kernel`, {2}
// and {3} the same behind the row's key and qualified with s, {4} joins a table of the source, called s, with `taken`.
constexpr std::string_view add_rows_sql = R"sql(
INSERT OR REPLACE INTO main.measurement ({0})
    SELECT t.id, t.batch, t.dtype, t.cache, t.footprint_bytes, {2}
    FROM temp.taken AS t CROSS JOIN temp.source_measurement AS s ON {4};
DELETE FROM main.kernel WHERE (layer_id, batch, dtype, cache, footprint_bytes)
    IN (SELECT id, batch, dtype, cache, footprint_bytes FROM temp.taken);
INSERT INTO main.kernel ({1})
    SELECT t.id, t.batch, t.dtype, t.cache, t.footprint_bytes, {3}
    FROM temp.taken AS t CROSS JOIN temp.source_kernel AS s ON {4};
)sql";

constexpr std::string_view same_row =
    "s.layer_id = t.source_id AND s.batch = t.batch AND s.dtype = t.dtype AND s.cache = t.cache "
    "AND s.footprint_bytes = t.footprint_bytes";

constexpr const char* add_records_sql = R"sql(
INSERT INTO main.peak SELECT * FROM source.peak WHERE true
    ON CONFLICT DO UPDATE SET
        flops_per_s = max(flops_per_s, excluded.flops_per_s), bytes_per_s = max(bytes_per_s, excluded.bytes_per_s),
        nominal_flops_per_s = ifnull(nominal_flops_per_s, excluded.nominal_flops_per_s),
        nominal_bytes_per_s = ifnull(nominal_bytes_per_s, excluded.nominal_bytes_per_s);
INSERT INTO main.verification (model, model_hash, batch, dtype, cache, predicted_us, measured_us, ci95_us, measured_at)
    SELECT model, model_hash, batch, dtype, cache, predicted_us, measured_us, ci95_us, measured_at
        FROM source.verification
    EXCEPT SELECT model, model_hash, batch, dtype, cache, predicted_us, measured_us, ci95_us, measured_at
        FROM main.verification
    ORDER BY measured_at;
)sql";

// {0} are the columns of `measurement`, {1} those of `kernel`: an upgraded file has them in another order.
constexpr std::string_view replace_all_sql = R"sql(
DELETE FROM main.kernel;
DELETE FROM main.measurement;
DELETE FROM main.layer;
DELETE FROM main.peak;
DELETE FROM main.verification;
INSERT INTO main.layer SELECT * FROM source.layer;
INSERT INTO main.measurement ({0}) SELECT {0} FROM source.measurement;
INSERT INTO main.kernel ({1}) SELECT {1} FROM source.kernel;
INSERT INTO main.peak SELECT * FROM source.peak;
INSERT INTO main.verification SELECT * FROM source.verification;
)sql";

class Attached {
public:
    Attached(const Database& database, const std::string& uri) : database_(database) {
        Statement attach = database.prepare("ATTACH ? AS source");
        attach.bind(1, uri);
        attach.run();
    }
    void detach() { database_.execute("DETACH source"); }

private:
    const Database& database_;
};

class RemoveOnExit {
public:
    explicit RemoveOnExit(fs::path file) : file_(std::move(file)) { detail::remove_database(file_); }
    ~RemoveOnExit() { detail::remove_database(file_); }
    RemoveOnExit(const RemoveOnExit&) = delete;
    RemoveOnExit& operator=(const RemoveOnExit&) = delete;

private:
    fs::path file_;
};

DeviceRecord common_device(const std::vector<fs::path>& sources) {
    std::optional<DeviceRecord> first;
    for (const fs::path& source : sources) {
        const DeviceRecord device = Table::open(source, OpenMode::read).device();
        if (!first) first = device;
        if (device.fingerprint != first->fingerprint) {
            throw InputError(
                fmt::format("{} was measured on '{}' (fingerprint {}) and {} on '{}' (fingerprint {}); merge "
                            "tables of one "
                            "device only",
                            sources.front().string(), first->name, first->fingerprint, source.string(),
                            device.name, device.fingerprint));
        }
    }
    return *first;
}

// "s.a, s.b, ..." for the columns of a list behind the five of a row's key.
std::string values_of(const std::string& list) {
    std::size_t begin = 0;
    for (int key_column = 0; key_column < 5; ++key_column) begin = list.find(',', begin) + 1;
    std::string values;
    for (const char character : list.substr(begin)) {
        values += character;
        if (character == ' ') values += "s.";
    }
    return values;
}

// The source may be of an earlier schema.
void add_rows(const Database& merged, std::int64_t version, double tolerance) {
    merged.execute(fmt::format(
        "CREATE TEMP VIEW source_measurement AS {}; CREATE TEMP VIEW source_kernel AS {}",
        detail::select_measurements("source", version), detail::select_kernels("source", version)));
    {
        Statement note_overlaps = merged.prepare(note_overlaps_sql);
        note_overlaps.bind(1, tolerance);
        note_overlaps.run();
    }
    merged.execute(choose_rows_sql);
    const std::string values = detail::list_of_columns("");
    merged.execute(fmt::format(add_rows_sql, values, detail::kernel_columns, values_of(values),
                               values_of(std::string(detail::kernel_columns)), same_row));
    merged.execute("DROP VIEW temp.source_measurement; DROP VIEW temp.source_kernel");
}

// Adds one source to the table under construction; returns the number of the source's rows.
std::int64_t add_source(const Database& merged, const fs::path& source, double tolerance) {
    const Database opened = detail::open_table_file(source, false);
    Attached attached(merged, opened.uri());
    std::int64_t rows = 0;
    {
        detail::Transaction transaction(merged);
        const std::int64_t version = detail::schema_version_of(opened);
        merged.execute(fmt::format(add_layers_sql, detail::list_of_layer_columns(),
                                   detail::select_layers("source", version)));
        add_rows(merged, version, tolerance);
        merged.execute(add_records_sql);
        rows = merged.integer("SELECT count(*) FROM source.measurement");
        transaction.commit();
    }
    attached.detach();
    return rows;
}

std::string describe_conflict(const RowKey& key, const std::vector<fs::path>& sources) {
    std::string text = fmt::format("\n  {} batch {} {} {}", key.layer.key(), key.batch, name_of(key.type),
                                   name_of(key.cache));
    if (key.footprint_bytes > 0) text += fmt::format(" footprint {}", key.footprint_bytes);
    std::string_view separator = ": ";
    for (const fs::path& source : sources) {
        const std::optional<Row> row = Table::open(source, OpenMode::read).find(key);
        if (!row || !has_latency(row->status)) continue;
        text += fmt::format("{}{} +- {} us in {}", separator, plain_number(row->latency_us, 6),
                            plain_number(row->ci95_us), source.string());
        separator = ", ";
    }
    return text;
}

void refuse_conflicts(const Database& merged, const std::vector<fs::path>& sources) {
    const std::int64_t count = merged.integer("SELECT count(*) FROM temp.overlap WHERE low > high");
    if (count == 0) return;
    std::string message = fmt::format(
        "{} {} measured differently in the inputs, by more than the 95 % intervals allow, so nothing was "
        "written; "
        "measure again or leave out one of the tables:",
        count, count == 1 ? "row was" : "rows were");
    Statement select = merged.prepare(
        "SELECT l.key, o.batch, o.dtype, o.cache, o.footprint_bytes FROM temp.overlap AS o "
        "JOIN main.layer AS l ON l.id = o.layer_id WHERE o.low > o.high "
        "ORDER BY l.key, o.batch, o.dtype, o.cache, o.footprint_bytes LIMIT ?");
    select.bind(1, std::int64_t{max_listed_conflicts});
    while (select.step()) {
        const RowKey key{LayerSpec::from_key(select.text(0)), static_cast<int>(select.integer(1)),
                         data_type_from_name(select.text(2)), cache_state_from_name(select.text(3)),
                         select.integer(4)};
        message += describe_conflict(key, sources);
    }
    if (count > max_listed_conflicts) {
        message += fmt::format("\n  and {} more", count - max_listed_conflicts);
    }
    throw InputError(message);
}

MergeResult build(const fs::path& file, const DeviceRecord& device, const std::vector<fs::path>& sources,
                  double tolerance) {
    detail::create_table_file(file, device);
    const Database merged(file, detail::Access::existing);
    // Nobody else sees this file before it is finished, and publish() brings it to the disk. Without a log, each commit says whether
    // its rows are in the file.
    merged.execute(
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
        "PRAGMA cache_size = -262144;");
    merged.execute(scratch_sql);
    std::int64_t source_rows = 0;
    for (const fs::path& source : sources) source_rows += add_source(merged, source, tolerance);
    refuse_conflicts(merged, sources);
    const std::int64_t rows = merged.integer("SELECT count(*) FROM measurement");
    merged.execute("PRAGMA journal_mode = WAL");
    return {rows, source_rows - rows};
}

// Half of somebody's rows would look like all of them. Asked again when all is read, for writers who began
// meanwhile; the output's own lock is held by this process.
void refuse_written(const std::vector<fs::path>& inputs, const fs::path& output) {
    for (const fs::path& input : inputs) {
        std::error_code not_there;
        if (!fs::equivalent(input, output, not_there)) detail::refuse_while_written(input);
    }
}

// Readers of the output may be at work, so it is changed in place: they see all of it or nothing.
void replace_rows(const fs::path& output, const fs::path& merged) {
    const Database database = detail::open_table_file(output, true);
    Attached attached(database, Database(merged, detail::Access::existing).uri());
    {
        detail::Transaction transaction(database);
        database.execute(fmt::format(replace_all_sql, detail::list_of_columns(""), detail::kernel_columns));
        transaction.commit();
    }
    attached.detach();
}

}  // namespace

MergeResult merge_tables(const std::vector<fs::path>& inputs, const fs::path& output,
                         const MergeOptions& options) {
    if (inputs.empty()) throw InputError("there is nothing to merge; name at least one table");
    const detail::WriterLock lock(output);
    const bool exists = fs::exists(output);
    if (exists && !options.append) {
        throw InputError(fmt::format("{} exists and is not overwritten; append to it, or name another file",
                                     output.string()));
    }
    std::vector<fs::path> sources;
    if (exists) sources.push_back(output);
    for (const fs::path& input : inputs) {
        std::error_code not_there;  // said by common_device
        if (!exists || !fs::equivalent(input, output, not_there)) sources.push_back(input);
    }
    refuse_written(inputs, output);
    const DeviceRecord device = common_device(sources);
    const fs::path unfinished = detail::beside(output, ".merge");
    const RemoveOnExit remove_on_exit(unfinished);
    const MergeResult result = build(unfinished, device, sources, options.tolerance);
    refuse_written(inputs, output);
    if (exists) {
        replace_rows(output, unfinished);
    } else {
        detail::publish(unfinished, output);
    }
    return result;
}

}  // namespace hacscale
