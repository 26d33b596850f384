#include "training/records.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "training/detail/sqlite_file.hpp"

namespace hacscale {
namespace {

using detail::SqliteFile;
using detail::SqliteStatement;

constexpr std::int64_t application_id = 0x48414341;  // "HACA"
constexpr std::int64_t schema_version = 1;

// Seeds are stored as signed numbers of the same 64 bits.
constexpr const char* schema_sql = R"sql(
CREATE TABLE IF NOT EXISTS accuracy (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_hash TEXT NOT NULL, recipe TEXT NOT NULL,
    recipe_hash TEXT NOT NULL, seed INTEGER NOT NULL, data_hash TEXT NOT NULL, epochs INTEGER NOT NULL,
    train_accuracy REAL NOT NULL, validation_accuracy REAL NOT NULL, test_accuracy REAL NOT NULL,
    seconds REAL NOT NULL, images_per_s REAL NOT NULL, data_wait_share REAL NOT NULL, device TEXT NOT NULL,
    libraries TEXT NOT NULL, program_version TEXT NOT NULL, finished_at TEXT NOT NULL,
    UNIQUE (model_hash, recipe_hash, seed, data_hash, device)) STRICT;
CREATE TRIGGER IF NOT EXISTS accuracy_is_kept BEFORE DELETE ON accuracy
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never removed'); END;
CREATE TRIGGER IF NOT EXISTS accuracy_is_not_changed BEFORE UPDATE ON accuracy
    BEGIN SELECT RAISE(ABORT, 'accuracy records are never changed'); END;
)sql";

constexpr std::string_view columns =
    "model, model_hash, recipe, recipe_hash, seed, data_hash, epochs, train_accuracy, validation_accuracy, "
    "test_accuracy, seconds, images_per_s, data_wait_share, device, libraries, program_version, finished_at";

std::string utc_now() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

void check_figures(const AccuracyRecord& record) {
    const TrainingResult& result = record.result;
    const auto is_share = [](double value) { return value >= 0.0 && value <= 1.0; };
    const bool shares = is_share(result.train_accuracy) && is_share(result.validation_accuracy) &&
                        is_share(result.test_accuracy) && is_share(result.data_wait_share);
    if (!shares || result.epochs < 1 || !std::isfinite(result.seconds) || !(result.seconds >= 0.0) ||
        !std::isfinite(result.images_per_s) || !(result.images_per_s >= 0.0)) {
        throw InputError(
            fmt::format("the training of {} with seed {} gave figures that cannot be: no record is made",
                        record.key.model, record.key.seed));
    }
}

AccuracyRecord record_of(const SqliteStatement& row) {
    AccuracyRecord record;
    record.key = {
        row.text(0), row.text(1), row.text(2), row.text(3), static_cast<std::uint64_t>(row.integer(4)),
        row.text(5)};
    record.result.epochs = static_cast<int>(row.integer(6));
    record.result.train_accuracy = row.real(7);
    record.result.validation_accuracy = row.real(8);
    record.result.test_accuracy = row.real(9);
    record.result.seconds = row.real(10);
    record.result.images_per_s = row.real(11);
    record.result.data_wait_share = row.real(12);
    record.device = row.text(13);
    record.libraries = row.text(14);
    record.program_version = row.text(15);
    record.finished_at = row.text(16);
    return record;
}

struct MeanAndDeviation {
    double mean = 0.0;
    std::optional<double> deviation;
};

MeanAndDeviation over(const std::vector<AccuracyRecord>& records, double TrainingResult::*figure) {
    MeanAndDeviation result;
    const double count = static_cast<double>(records.size());
    for (const AccuracyRecord& record : records) result.mean += record.result.*figure / count;
    if (records.size() < 2) return result;
    double squares = 0.0;
    for (const AccuracyRecord& record : records) {
        const double distance = record.result.*figure - result.mean;
        squares += distance * distance;
    }
    result.deviation = std::sqrt(squares / (count - 1.0));
    return result;
}

}  // namespace

class AccuracyRecords::File : public SqliteFile {
public:
    using SqliteFile::SqliteFile;

    void require_records(const std::filesystem::path& file) const {
        if (integer("PRAGMA application_id") != application_id) {
            throw InputError(
                fmt::format("{}: expected accuracy records, found another SQLite file; name another file",
                            file.string()));
        }
        if (const std::int64_t version = integer("PRAGMA user_version"); version != schema_version) {
            throw InputError(
                fmt::format("{}: expected accuracy records of schema {}, found schema {}; use the "
                            "program that wrote them",
                            file.string(), schema_version, version));
        }
    }

    // The schema is made in one transaction, so that of several processes that start at once, one makes it.
    void make_schema(const std::filesystem::path& file) const {
        execute("PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
        const bool empty = integer("SELECT count(*) FROM sqlite_schema") == 0;
        if (empty) {
            execute(schema_sql);
            execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id,
                                schema_version)
                        .c_str());
        }
        execute("COMMIT");
        require_records(file);
    }
};

AccuracyRecords::AccuracyRecords(std::unique_ptr<File> file) : file_(std::move(file)) {}
AccuracyRecords::~AccuracyRecords() = default;
AccuracyRecords::AccuracyRecords(AccuracyRecords&&) noexcept = default;

AccuracyRecords AccuracyRecords::open(const std::filesystem::path& file) {
    std::error_code error;
    if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
    auto opened = std::make_unique<File>(file, true);
    opened->make_schema(file);
    return AccuracyRecords(std::move(opened));
}

AccuracyRecords AccuracyRecords::open_to_read(const std::filesystem::path& file) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) {
        throw InputError(fmt::format(
            "{}: expected accuracy records, found no file; 'hacscale train' makes them", file.string()));
    }
    auto opened = std::make_unique<File>(file, false);
    opened->require_records(file);
    return AccuracyRecords(std::move(opened));
}

bool AccuracyRecords::append(AccuracyRecord record) {
    check_figures(record);
    if (record.finished_at.empty()) record.finished_at = utc_now();
    SqliteStatement insert(*file_,
                           fmt::format("INSERT INTO accuracy ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                                       "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO NOTHING",
                                       columns));
    const RunKey& key = record.key;
    const TrainingResult& result = record.result;
    insert.bind(1, key.model).bind(2, key.model_hash).bind(3, key.recipe).bind(4, key.recipe_hash);
    insert.bind(5, static_cast<std::int64_t>(key.seed)).bind(6, key.data_hash);
    insert.bind(7, std::int64_t{result.epochs}).bind(8, result.train_accuracy);
    insert.bind(9, result.validation_accuracy).bind(10, result.test_accuracy).bind(11, result.seconds);
    insert.bind(12, result.images_per_s).bind(13, result.data_wait_share).bind(14, record.device);
    insert.bind(15, record.libraries).bind(16, record.program_version).bind(17, record.finished_at);
    insert.step();
    return file_->changes() == 1;
}

bool AccuracyRecords::has(const RunKey& key) const {
    SqliteStatement query(*file_,
                          "SELECT 1 FROM accuracy WHERE model_hash = ?1 AND recipe_hash = ?2 AND seed = ?3 "
                          "AND data_hash = ?4");
    query.bind(1, key.model_hash).bind(2, key.recipe_hash).bind(3, static_cast<std::int64_t>(key.seed));
    return query.bind(4, key.data_hash).step();
}

std::vector<AccuracyRecord> AccuracyRecords::all() const {
    SqliteStatement query(*file_, fmt::format("SELECT {} FROM accuracy ORDER BY id", columns));
    std::vector<AccuracyRecord> records;
    while (query.step()) records.push_back(record_of(query));
    return records;
}

std::vector<AccuracySummary> AccuracyRecords::summaries() const {
    using Group = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;
    std::map<Group, std::vector<AccuracyRecord>> groups;
    for (AccuracyRecord& record : all()) {
        const RunKey& key = record.key;
        const Group group{key.model,       key.recipe,    key.model_hash,
                          key.recipe_hash, key.data_hash, record.device};
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

}  // namespace hacscale
