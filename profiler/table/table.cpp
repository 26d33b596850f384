#include "profiler/table/table.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/sqlite/sqlite.hpp"
#include "profiler/table/detail/row_codec.hpp"
#include "profiler/table/detail/schema.hpp"
#include "profiler/table/detail/table_file.hpp"
#include "profiler/table/detail/writer_lock.hpp"

namespace hacscale {

using detail::ResetOnExit;
using detail::Statement;

namespace {

// The file that had this name when it was opened, to notice that it has it no more, or was cut short.
class OpenedFile {
public:
    explicit OpenedFile(std::filesystem::path file) : file_(std::move(file)) { is_there(opened_); }

    bool is_replaced() const {
        struct stat now = {};
        return !is_there(now) || now.st_dev != opened_.st_dev || now.st_ino != opened_.st_ino;
    }
    // Tables never shrink: SQLite keeps pages that are free.
    bool is_cut_short() {
        struct stat now = {};
        if (!is_there(now)) return false;
        return now.st_size < std::exchange(opened_.st_size, std::max(opened_.st_size, now.st_size));
    }

private:
    bool is_there(struct stat& status) const { return ::stat(file_.c_str(), &status) == 0; }

    std::filesystem::path file_;
    struct stat opened_ = {};
};

// What put() runs.
struct Writing {
    explicit Writing(const detail::Database& database)
        : insert_layer(database.prepare(detail::insert_layer_sql())),
          select_layer(database.prepare("SELECT id FROM layer WHERE key = ?")),
          replace_row(database.prepare(detail::replace_row_sql())),
          delete_kernels(database.prepare(detail::delete_kernels_sql())),
          insert_kernel(database.prepare(detail::insert_kernel_sql())) {}

    Statement insert_layer;
    Statement select_layer;
    Statement replace_row;
    Statement delete_kernels;
    Statement insert_kernel;
};

}  // namespace

struct Table::Impl {
    Impl(std::filesystem::path path, std::optional<detail::WriterLock> writer_lock, detail::Database opened);
    ~Impl();

    void put(const Row& row);  // within a transaction
    std::int64_t layer_id(const LayerSpec& layer);
    void require_writer() const;
    void require_same_file() const;  // that was opened
    void bring_log_into_file() const;
    void put_kernels(std::int64_t layer, const Row& row);
    enum class Kernels { with, without };
    void read_rows(Statement& select, Kernels kernels, const std::function<void(const Row&)>& visit) const;

    std::filesystem::path file;
    std::optional<detail::WriterLock> lock;  // outlives the database: closing it may still write
    detail::Database database;
    mutable OpenedFile opened_file;
    DeviceRecord device;
    std::unordered_map<LayerSpec, std::int64_t, LayerSpecHash> layer_ids;  // those met by put()
    std::optional<Writing> writing;                                        // unless it is open for reading
    mutable Statement select_row;
    mutable Statement select_footprints;
    mutable Statement select_kernels;
};

namespace {

constexpr std::string_view state_condition = "m.batch = ? AND m.dtype = ? AND m.cache = ?";

// CROSS JOIN keeps SQLite to the order written: layers first, then their rows.
std::string select_rows(std::string_view conditions, std::string_view order) {
    return fmt::format(
        "SELECT {} FROM layer AS l CROSS JOIN measurement AS m ON m.layer_id = l.id WHERE {} ORDER BY {}",
        detail::selected_columns(), conditions, order);
}

int bind_state(Statement& statement, int index, int batch, DataType type, CacheState cache) {
    statement.bind(++index, std::int64_t{batch});
    statement.bind(++index, name_of(type));
    statement.bind(++index, name_of(cache));
    return index;
}

void check_device(const std::filesystem::path& file, const DeviceRecord& stored, const DeviceRecord& wanted) {
    if (stored.fingerprint == wanted.fingerprint) return;
    throw InputError(
        fmt::format("{} was measured on {} '{}' (fingerprint {}), but the device now is {} '{}' (fingerprint "
                    "{}); rows of "
                    "both would not be comparable, so use another file",
                    file.string(), stored.id, stored.name, stored.fingerprint, wanted.id, wanted.name,
                    wanted.fingerprint));
}

void check_values(const Row& row) {
    if (!has_latency(row.status)) return;
    if (row.reference_us && !(std::isfinite(*row.reference_us) && *row.reference_us > 0.0)) {
        throw InputError(
            fmt::format("the row of {} has a pace of {} us; give a finite positive value or none",
                        row.key.layer.key(), *row.reference_us));
    }
    if (std::isfinite(row.latency_us) && row.latency_us > 0.0 && std::isfinite(row.ci95_us) &&
        row.ci95_us >= 0.0) {
        return;
    }
    throw InputError(fmt::format(
        "the row of {} has status {} but latency {} +- {} us; give finite positive values or status failed",
        row.key.layer.key(), name_of(row.status), row.latency_us, row.ci95_us));
}

struct FilterSql {
    std::string conditions = "1";
    std::vector<std::string> texts;  // parameters in order
};

FilterSql sql_of(const RowFilter& filter) {
    FilterSql sql;
    const auto add = [&](std::string_view condition, std::string_view text) {
        sql.conditions += fmt::format(" AND {}", condition);
        sql.texts.emplace_back(text);
    };
    if (filter.layer_contains) add("instr(l.key, ?) > 0", *filter.layer_contains);
    if (filter.kind) add("l.kind = ?", name_of(*filter.kind));
    if (filter.batch) add("m.batch = CAST(? AS INTEGER)", std::to_string(*filter.batch));
    if (filter.type) add("m.dtype = ?", name_of(*filter.type));
    if (filter.cache) add("m.cache = ?", name_of(*filter.cache));
    if (filter.status) add("m.status = ?", name_of(*filter.status));
    return sql;
}

}  // namespace

Table::Impl::Impl(std::filesystem::path path, std::optional<detail::WriterLock> writer_lock,
                  detail::Database opened)
    : file(std::move(path)),
      lock(std::move(writer_lock)),
      database(std::move(opened)),
      opened_file(file),
      device(detail::read_device(database)),
      select_row(database.prepare(select_rows(
          fmt::format("l.key = ? AND {} AND m.footprint_bytes = ?", state_condition), detail::row_order))),
      select_footprints(
          database.prepare(select_rows(fmt::format("l.key = ? AND {}", state_condition), detail::row_order))),
      select_kernels(database.prepare(detail::select_kernels_sql())) {
    if (lock) writing.emplace(database);
}

void Table::Impl::require_writer() const {
    if (lock) return;
    throw WorkError(fmt::format("{} is open for reading only; open it for writing", file.string()));
}

// Rows would go into a file that has another name now, or none.
void Table::Impl::require_same_file() const {
    if (opened_file.is_replaced()) {
        if (!lock) {
            throw WorkError(
                fmt::format("{} was removed or replaced while it was read; run again when nothing changes it",
                            file.string()));
        }
        bring_log_into_file();
        throw WorkError(fmt::format(
            "{} was removed or replaced while it was written; the rows until then are in the file that was "
            "moved away, if it is still there. Run again, and let nothing else change the file meanwhile",
            file.string()));
    }
    if (opened_file.is_cut_short()) {
        throw WorkError(
            fmt::format("{} was cut short by another program, so rows are lost; restore it from a copy or "
                        "measure again into a new file",
                        file.string()));
    }
}

// SQLite leaves the log of a file that was moved where it is: beside whatever has the file's name now, which the log's pages would
// then be taken for.
void Table::Impl::bring_log_into_file() const {
    try {
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (const Error& error) {
        spdlog::error("{}", error.what());
    }
}

Table::Impl::~Impl() {
    if (lock && opened_file.is_replaced()) bring_log_into_file();
}

std::int64_t Table::Impl::layer_id(const LayerSpec& layer) {
    if (const auto known = layer_ids.find(layer); known != layer_ids.end()) return known->second;
    const std::string key = layer.key();
    if (LayerSpec::from_key(key) != layer) {
        throw InputError(
            fmt::format("the layer of key {} has values in fields that its kind does not use; leave those at "
                        "their defaults",
                        key));
    }
    detail::bind_layer(writing->insert_layer, layer, key);
    writing->insert_layer.run();
    ResetOnExit reset_on_exit(writing->select_layer);
    writing->select_layer.bind(1, key);
    writing->select_layer.step();
    return layer_ids[layer] = writing->select_layer.integer(0);
}

void Table::Impl::put(const Row& row) {
    check_values(row);
    const std::int64_t layer = layer_id(row.key.layer);
    detail::bind_row(writing->replace_row, layer, row);
    writing->replace_row.run();
    put_kernels(layer, row);
}

void Table::Impl::put_kernels(std::int64_t layer, const Row& row) {
    detail::bind_key(writing->delete_kernels, layer, row.key);
    writing->delete_kernels.run();
    std::int64_t position = 0;
    for (const KernelLaunch& kernel : row.readings.kernels) {
        detail::bind_kernel(writing->insert_kernel, layer, row.key, position++, kernel);
        writing->insert_kernel.run();
    }
}

// Kernels are read while `select` is at their row, so that both are of one moment.
void Table::Impl::read_rows(Statement& select, Kernels kernels,
                            const std::function<void(const Row&)>& visit) const {
    detail::RowReader reader(file.string());
    while (select.step()) {
        Row row = reader.read(select);
        if (kernels == Kernels::with) {
            ResetOnExit reset_on_exit(select_kernels);
            detail::bind_key(select_kernels, detail::RowReader::layer_id(select), row.key);
            while (select_kernels.step()) {
                row.readings.kernels.push_back(detail::read_kernel(select_kernels));
            }
        }
        visit(row);
    }
    require_same_file();
}

Table Table::open(const std::filesystem::path& file, OpenMode mode, const DeviceRecord* device) {
    std::optional<detail::WriterLock> lock;
    if (mode != OpenMode::read) {
        const std::filesystem::path folder = std::filesystem::absolute(file).parent_path();
        if (!std::filesystem::exists(folder)) {
            throw InputError(
                fmt::format("{}: its folder does not exist; make it or name another file", file.string()));
        }
        lock.emplace(file);
    }
    if (mode == OpenMode::create && !std::filesystem::exists(file)) {
        if (device == nullptr) {
            throw InputError(fmt::format(
                "{} does not exist, and a new table needs the device it is for; name one", file.string()));
        }
        detail::create_table_file(file, *device);
    }
    detail::Database database = detail::open_table_file(file, mode != OpenMode::read);
    auto impl = std::make_unique<Impl>(file, std::move(lock), std::move(database));
    if (device != nullptr) check_device(file, impl->device, *device);
    return Table(std::move(impl));
}

Table::Table(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;
Table::Table(Table&&) noexcept = default;
Table& Table::operator=(Table&&) noexcept = default;

const std::filesystem::path& Table::file() const {
    return impl_->file;
}
DeviceRecord Table::device() const {
    return impl_->device;
}

void Table::put(const Row& row) {
    put(std::vector<Row>{row});
}

void Table::put(const std::vector<Row>& rows) {
    impl_->require_writer();
    impl_->require_same_file();
    detail::Transaction transaction(impl_->database);
    try {
        for (const Row& row : rows) impl_->put(row);
        transaction.commit();
        impl_->require_same_file();
    } catch (...) {
        impl_->layer_ids.clear();  // the layers met in this transaction are rolled back with it
        throw;
    }
}

std::optional<Row> Table::find(const RowKey& key) const {
    ResetOnExit reset_on_exit(impl_->select_row);
    impl_->select_row.bind(1, key.layer.key());
    const int last = bind_state(impl_->select_row, 1, key.batch, key.type, key.cache);
    impl_->select_row.bind(last + 1, key.footprint_bytes);
    std::optional<Row> found;
    impl_->read_rows(impl_->select_row, Impl::Kernels::with, [&](const Row& row) { found = row; });
    return found;
}

std::vector<Row> Table::find_all(const LayerSpec& layer, int batch, DataType type, CacheState cache) const {
    ResetOnExit reset_on_exit(impl_->select_footprints);
    impl_->select_footprints.bind(1, layer.key());
    bind_state(impl_->select_footprints, 1, batch, type, cache);
    std::vector<Row> rows;
    impl_->read_rows(impl_->select_footprints, Impl::Kernels::with,
                     [&](const Row& row) { rows.push_back(row); });
    return rows;
}

void Table::for_each_of_family(const LayerSpec& layer, int batch, DataType type, CacheState cache,
                               const std::function<void(const Row&)>& visit) const {
    Statement select = impl_->database.prepare(
        select_rows(fmt::format("{} AND {} AND m.status IN ('ok', 'noisy', 'unsupported')",
                                detail::family_condition(), state_condition),
                    "l.id, m.footprint_bytes"));
    const int index = detail::bind_family(select, 0, layer);
    bind_state(select, index, batch, type, cache);
    impl_->read_rows(select, Impl::Kernels::without, visit);
}

std::vector<Row> Table::query(const RowFilter& filter) const {
    std::vector<Row> rows;
    for_each(filter, [&](const Row& row) { rows.push_back(row); });
    return rows;
}

void Table::for_each(const RowFilter& filter, const std::function<void(const Row&)>& visit) const {
    const FilterSql sql = sql_of(filter);
    Statement select = impl_->database.prepare(select_rows(sql.conditions, detail::row_order));
    int index = 0;
    for (const std::string& text : sql.texts) select.bind(++index, text);
    impl_->read_rows(select, Impl::Kernels::with, visit);
}

std::int64_t Table::size() const {
    return impl_->database.integer("SELECT count(*) FROM measurement");
}

std::optional<double> Table::fastest_reference_us(DataType type) const {
    Statement select = impl_->database.prepare(
        "SELECT min(pace_us) FROM measurement WHERE dtype = ? AND status IN ('ok', 'noisy')");
    select.bind(1, name_of(type));
    select.step();
    return select.optional_real(0);
}

void Table::put(const PeakRecord& peak) {
    impl_->require_writer();
    impl_->require_same_file();
    Statement replace = impl_->database.prepare("INSERT OR REPLACE INTO peak VALUES (?, ?, ?, ?, ?)");
    replace.bind(1, name_of(peak.type));
    replace.bind(2, peak.flops_per_s);
    replace.bind(3, peak.bytes_per_s);
    replace.bind(4, peak.nominal_flops_per_s);
    replace.bind(5, peak.nominal_bytes_per_s);
    replace.run();
    impl_->require_same_file();
}

std::optional<PeakRecord> Table::peak(DataType type) const {
    Statement select = impl_->database.prepare(
        "SELECT flops_per_s, bytes_per_s, nominal_flops_per_s, nominal_bytes_per_s FROM peak WHERE dtype = "
        "?");
    select.bind(1, name_of(type));
    if (!select.step()) return std::nullopt;
    return PeakRecord{type, select.real(0), select.real(1), select.optional_real(2), select.optional_real(3)};
}

void Table::put(const VerificationRecord& record) {
    impl_->require_writer();
    impl_->require_same_file();
    Statement insert =
        impl_->database.prepare("INSERT INTO verification VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, record.model);
    insert.bind(2, record.model_hash);
    const int last = bind_state(insert, 2, record.batch, record.type, record.cache);
    insert.bind(last + 1, record.predicted_us);
    insert.bind(last + 2, record.measured_us);
    insert.bind(last + 3, record.ci95_us);
    insert.bind(last + 4, record.measured_at);
    insert.run();
    impl_->require_same_file();
}

std::vector<VerificationRecord> Table::verifications() const {
    Statement select = impl_->database.prepare(
        "SELECT model, model_hash, batch, dtype, cache, predicted_us, measured_us, ci95_us, measured_at "
        "FROM verification ORDER BY id");
    std::vector<VerificationRecord> records;
    while (select.step()) {
        records.push_back({std::string(select.text(0)), std::string(select.text(1)),
                           detail::batch_in(select.integer(2)), data_type_from_name(select.text(3)),
                           cache_state_from_name(select.text(4)), select.real(5), select.real(6),
                           select.real(7), std::string(select.text(8))});
    }
    return records;
}

}  // namespace hacscale
