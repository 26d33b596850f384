#include "training/records.hpp"

#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <map>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/lock_file.hpp"
#include "base/sqlite/sqlite.hpp"
#include "models/formats/formats.hpp"
#include "training/importance.hpp"

namespace hacscale {
namespace {

using detail::Database;
using detail::Statement;

constexpr std::int64_t application_id = 0x48414341;  // "HACA"
constexpr std::int64_t schema_version = 3;           // 1: without start_hash, 2: without the table epoch

// Seeds are stored as signed numbers of the same 64 bits.
constexpr const char* schema_sql = R"sql(
CREATE TABLE IF NOT EXISTS accuracy (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_hash TEXT NOT NULL, recipe TEXT NOT NULL,
    recipe_hash TEXT NOT NULL, seed INTEGER NOT NULL, data_hash TEXT NOT NULL, epochs INTEGER NOT NULL,
    train_accuracy REAL NOT NULL, validation_accuracy REAL NOT NULL, test_accuracy REAL NOT NULL,
    seconds REAL NOT NULL, images_per_s REAL NOT NULL, data_wait_share REAL NOT NULL, device TEXT NOT NULL,
    precision TEXT NOT NULL, libraries TEXT NOT NULL, program_version TEXT NOT NULL, finished_at TEXT NOT NULL,
    start_hash TEXT NOT NULL, UNIQUE (model_hash, recipe_hash, seed, data_hash, start_hash, device)) STRICT;
CREATE TRIGGER IF NOT EXISTS accuracy_is_kept BEFORE DELETE ON accuracy
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never removed'); END;
CREATE TRIGGER IF NOT EXISTS accuracy_is_not_changed BEFORE UPDATE ON accuracy
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never changed'); END;
)sql";

// The epochs of a training, counted from 1.
constexpr const char* epoch_sql = R"sql(
CREATE TABLE epoch (
    accuracy_id INTEGER NOT NULL REFERENCES accuracy, epoch INTEGER NOT NULL, loss REAL NOT NULL,
    train_accuracy REAL NOT NULL, validation_accuracy REAL NOT NULL,
    PRIMARY KEY (accuracy_id, epoch)) STRICT, WITHOUT ROWID;
CREATE TRIGGER epoch_is_kept BEFORE DELETE ON epoch
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never removed'); END;
CREATE TRIGGER epoch_is_not_changed BEFORE UPDATE ON epoch
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never changed'); END;
)sql";

// A table's constraints cannot be changed, so its rows move to a new one.
constexpr const char* set_schema_1_aside_sql =
    "DROP TRIGGER accuracy_is_kept; DROP TRIGGER accuracy_is_not_changed; "
    "ALTER TABLE accuracy RENAME TO accuracy_of_schema_1";

constexpr std::string_view columns =
    "model, model_hash, recipe, recipe_hash, seed, data_hash, epochs, train_accuracy, validation_accuracy, "
    "test_accuracy, seconds, images_per_s, data_wait_share, device, precision, "
    "libraries, program_version, finished_at";
constexpr std::string_view start_column = "start_hash";

std::string utc_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

void check_figures(const AccuracyRecord& record) {
    const TrainingResult& result = record.result;
    const auto is_share = [](double value) { return value >= 0.0 && value <= 1.0; };
    const std::vector<EpochFigures>& curve = result.learning_curve;
    const bool is_curve = (curve.empty() || static_cast<int>(curve.size()) == result.epochs) &&
                          std::all_of(curve.begin(), curve.end(), [&](const EpochFigures& epoch) {
                              return std::isfinite(epoch.loss) && is_share(epoch.train_accuracy) &&
                                     is_share(epoch.validation_accuracy);
                          });
    const bool shares = is_share(result.train_accuracy) && is_share(result.validation_accuracy) &&
                        is_share(result.test_accuracy) && is_share(result.data_wait_share);
    if (!shares || !is_curve || result.epochs < 1 || !std::isfinite(result.seconds) ||
        !(result.seconds >= 0.0) || !std::isfinite(result.images_per_s) || !(result.images_per_s >= 0.0)) {
        throw InputError(
            fmt::format("the training of {} with seed {} gave figures that cannot be: no record is made",
                        record.key.model, record.key.seed));
    }
}

AccuracyRecord record_of(const Statement& row) {
    const auto text = [&](int column) { return std::string(row.text(column)); };
    AccuracyRecord record;
    record.key = {text(0), text(1), text(2), text(3), static_cast<std::uint64_t>(row.integer(4)), text(5)};
    record.result.epochs = static_cast<int>(row.integer(6));
    record.result.train_accuracy = row.real(7);
    record.result.validation_accuracy = row.real(8);
    record.result.test_accuracy = row.real(9);
    record.result.seconds = row.real(10);
    record.result.images_per_s = row.real(11);
    record.result.data_wait_share = row.real(12);
    record.device = text(13);
    record.result.precision = training_precision_from_name(text(14));
    record.libraries = text(15);
    record.program_version = text(16);
    record.finished_at = text(17);
    record.key.start_hash = text(18);
    return record;
}

MeanAndDeviation over(const std::vector<AccuracyRecord>& records, double TrainingResult::*figure) {
    std::vector<double> figures;
    for (const AccuracyRecord& record : records) figures.push_back(record.result.*figure);
    return mean_and_deviation(figures);
}

}  // namespace

class AccuracyRecords::File : public Database {
public:
    using Database::Database;

    void require_records() const {
        if (const int code = probe(); code != 0) fail(code, "read it as accuracy records");
        if (integer("PRAGMA application_id") != application_id) {
            throw InputError(
                fmt::format("{}: expected accuracy records, found another SQLite file; name another file",
                            file().string()));
        }
        if (const std::int64_t found = version(); found < 1 || found > schema_version) {
            throw InputError(
                fmt::format("{}: expected accuracy records of schema {}, found schema {}; use the "
                            "program that wrote them",
                            file().string(), schema_version, found));
        }
    }

    // Of rows: a file that is only read may be of the older schema.
    std::string_view start() const { return version() == 1 ? "''" : start_column; }
    std::int64_t version() const { return integer("PRAGMA user_version"); }

    // By the id of the training.
    std::map<std::int64_t, std::vector<EpochFigures>> learning_curves() const {
        std::map<std::int64_t, std::vector<EpochFigures>> curves;
        if (version() < 3) return curves;
        Statement query = prepare(
            "SELECT accuracy_id, loss, train_accuracy, validation_accuracy FROM epoch ORDER BY accuracy_id, "
            "epoch");
        while (query.step())
            curves[query.integer(0)].push_back({query.real(1), query.real(2), query.real(3)});
        return curves;
    }

    // The schema is made in one transaction, so that of several processes that start at once, one makes it.
    void make_schema() const {
        if (const int code = probe(); code != 0) fail(code, "read it as accuracy records");
        execute("PRAGMA synchronous = FULL");
        detail::Transaction transaction(*this);
        if (integer("SELECT count(*) FROM sqlite_schema") == 0) {
            execute(schema_sql);
            execute(epoch_sql);
            execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id,
                                schema_version));
        } else if (integer("PRAGMA application_id") == application_id && version() >= 1 &&
                   version() < schema_version) {
            if (version() == 1) {
                execute(set_schema_1_aside_sql);
                execute(schema_sql);
                execute(fmt::format(
                    "INSERT INTO accuracy (id, {0}, {1}) SELECT id, {0}, '' FROM accuracy_of_schema_1 "
                    "ORDER BY id; DROP TABLE accuracy_of_schema_1",
                    columns, start_column));
            }
            execute(epoch_sql);
            execute(fmt::format("PRAGMA user_version = {}", schema_version));
        }
        transaction.commit();
        require_records();
    }
};

AccuracyRecords::AccuracyRecords(std::unique_ptr<File> file) : file_(std::move(file)) {}
AccuracyRecords::~AccuracyRecords() = default;
AccuracyRecords::AccuracyRecords(AccuracyRecords&&) noexcept = default;

AccuracyRecords AccuracyRecords::open(const std::filesystem::path& file) {
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    auto opened = std::make_unique<File>(file, detail::Access::create);
    opened->make_schema();
    return AccuracyRecords(std::move(opened));
}

AccuracyRecords AccuracyRecords::open_to_read(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
        throw InputError(fmt::format(
            "{}: expected accuracy records, found no file; 'hacscale train' makes them", file.string()));
    }
    auto opened = std::make_unique<File>(file, detail::Access::existing);
    opened->require_records();
    return AccuracyRecords(std::move(opened));
}

bool AccuracyRecords::append(AccuracyRecord record) {
    check_figures(record);
    if (record.finished_at.empty()) record.finished_at = utc_now();
    detail::Transaction transaction(*file_);
    Statement insert = file_->prepare(fmt::format(
        "INSERT INTO accuracy ({}, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
        "?13, ?14, ?15, ?16, ?17, ?18, ?19) ON CONFLICT DO NOTHING",
        columns, start_column));
    const RunKey& key = record.key;
    const TrainingResult& result = record.result;
    int index = 0;
    const auto bind = [&](const auto&... values) { (insert.bind(++index, values), ...); };
    bind(key.model, key.model_hash, key.recipe, key.recipe_hash, static_cast<std::int64_t>(key.seed),
         key.data_hash);
    bind(std::int64_t{result.epochs}, result.train_accuracy, result.validation_accuracy, result.test_accuracy,
         result.seconds, result.images_per_s, result.data_wait_share);
    bind(record.device, name_of(result.precision), record.libraries, record.program_version,
         record.finished_at, key.start_hash);
    insert.step();
    if (file_->integer("SELECT changes()") == 0) return false;
    const std::int64_t id = file_->integer("SELECT last_insert_rowid()");
    for (std::size_t epoch = 0; epoch < result.learning_curve.size(); ++epoch) {
        const EpochFigures& figures = result.learning_curve[epoch];
        Statement row = file_->prepare("INSERT INTO epoch VALUES (?1, ?2, ?3, ?4, ?5)");
        row.bind(1, id);
        row.bind(2, static_cast<std::int64_t>(epoch) + 1);
        row.bind(3, figures.loss);
        row.bind(4, figures.train_accuracy);
        row.bind(5, figures.validation_accuracy);
        row.run();
    }
    transaction.commit();
    return true;
}

bool AccuracyRecords::has(const RunKey& key) const {
    Statement query = file_->prepare(
        fmt::format("SELECT 1 FROM accuracy WHERE model_hash = ?1 AND recipe_hash = ?2 AND seed = ?3 AND "
                    "data_hash = ?4 AND {} = ?5",
                    file_->start()));
    query.bind(1, key.model_hash);
    query.bind(2, key.recipe_hash);
    query.bind(3, static_cast<std::int64_t>(key.seed));
    query.bind(4, key.data_hash);
    query.bind(5, key.start_hash);
    return query.step();
}

std::vector<AccuracyRecord> AccuracyRecords::all() const {
    Statement query =
        file_->prepare(fmt::format("SELECT {}, {}, id FROM accuracy ORDER BY id", columns, file_->start()));
    std::map<std::int64_t, std::vector<EpochFigures>> curves = file_->learning_curves();
    std::vector<AccuracyRecord> records;
    while (query.step()) {
        records.push_back(record_of(query));
        records.back().result.learning_curve = std::move(curves[query.integer(19)]);
    }
    return records;
}

std::vector<AccuracySummary> AccuracyRecords::summaries() const {
    using Group =
        std::tuple<std::string, std::string, std::string, std::string, std::string, std::string, bool>;
    std::map<Group, std::vector<AccuracyRecord>> groups;
    for (AccuracyRecord& record : all()) {
        const RunKey& key = record.key;
        const Group group{key.model,     key.recipe,    key.model_hash,        key.recipe_hash,
                          key.data_hash, record.device, key.start_hash.empty()};
        groups[group].push_back(std::move(record));
    }
    std::vector<AccuracySummary> summaries;
    for (const auto& [group, records] : groups) {
        const auto lowest =
            std::min_element(records.begin(), records.end(),
                             [](const auto& a, const auto& b) { return a.key.seed < b.key.seed; });
        const MeanAndDeviation test = over(records, &TrainingResult::test_accuracy);
        const MeanAndDeviation validation = over(records, &TrainingResult::validation_accuracy);
        summaries.push_back({lowest->key, lowest->device, static_cast<int>(records.size()), test.mean,
                             test.deviation, validation.mean, validation.deviation});
    }
    return summaries;
}

RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed, const std::string& data_hash,
               const std::string& start_hash) {
    return {model.name, model_hash(model), recipe.name, recipe_hash(recipe), seed, data_hash, start_hash};
}

// Names are for people; the hash at the end tells apart what has the same name.
std::string folder_name(const RunKey& key) {
    std::string identity =
        fmt::format("{} {} {} {}", key.model_hash, key.recipe_hash, key.seed, key.data_hash);
    if (!key.start_hash.empty()) identity += " " + key.start_hash;
    std::string name = fmt::format("{}.{}.seed{}.{}", key.model, key.recipe, key.seed, hex_hash(identity));
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
}

// ---- The lock ----

namespace {

std::filesystem::path lock_file(const std::filesystem::path& run_folder) {
    return run_folder / "run.lock";
}

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unnamed host";
}

}  // namespace

// The file stays when the lock is released: were it removed, two processes could hold locks on two files of
// one name.
std::optional<RunLock> RunLock::try_lock(const std::filesystem::path& run_folder) {
    std::error_code error;
    std::filesystem::create_directories(run_folder, error);
    const std::filesystem::path file = lock_file(run_folder);
    const int descriptor = open_lock_file(file);
    if (descriptor < 0) {
        throw WorkError(fmt::format("{}: cannot be written: {}; choose a folder for checkpoints that can be",
                                    file.string(), std::strerror(errno)));
    }
    RunLock lock(descriptor);
    int result = 0;
    do {
        result = ::flock(descriptor, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        if (errno == EWOULDBLOCK) return std::nullopt;
        throw WorkError(fmt::format("{}: cannot be locked: {}; choose a file system with file locks",
                                    file.string(), std::strerror(errno)));
    }
    // The text only serves messages; on a full disk the lock holds without it.
    const std::string text = fmt::format("process {} on {}\n", ::getpid(), host_name());
    [[maybe_unused]] const bool written =
        ::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, text.data(), text.size(), 0) > 0;
    return lock;
}

std::string RunLock::holder(const std::filesystem::path& run_folder) {
    std::ifstream stream(lock_file(run_folder));
    std::string text;
    return std::getline(stream, text) && !text.empty() ? text : "another process";
}

RunLock::~RunLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

RunLock::RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace hacscale
