#include "training/records.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::HasSubstr;

AccuracyRecord record_of(std::uint64_t seed, double test_accuracy, const std::string& device = "cpu") {
    AccuracyRecord record;
    record.key = {"m", "m-hash", "r", "r-hash", seed, "d-hash"};
    record.result = {16, 0.95, test_accuracy + 0.01, test_accuracy, 3600.0, 200.5, 0.02};
    record.device = device;
    record.libraries = "abacus 1.0";
    record.program_version = "0.1.0";
    return record;
}

TEST(Records, GiveBackWhatWasAppended) {
    TempFolder temp;
    const AccuracyRecord record = record_of(18'446'744'073'709'551'615U, 0.9);
    AccuracyRecords::open(temp / "folder/r.db").append(record);
    const auto all = AccuracyRecords::open_to_read(temp / "folder/r.db").all();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].key, record.key);
    EXPECT_EQ(all[0].result.test_accuracy, 0.9);
    EXPECT_EQ(all[0].result.validation_accuracy, record.result.validation_accuracy);
    EXPECT_EQ(all[0].result.images_per_s, 200.5);
    EXPECT_EQ(all[0].libraries, "abacus 1.0");
    EXPECT_THAT(all[0].finished_at, ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST(Records, HaveTheEpochsOfEachRun) {
    TempFolder temp;
    AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
    AccuracyRecord with = record_of(1, 0.9);
    with.result.epochs = 3;
    with.result.learning_curve = {{2.3, 0.1, 0.15}, {1.2, 0.5, 0.6}, {0.4, 0.9, 0.91}};
    records.append(with);
    records.append(record_of(2, 0.9));  // gone on from an older program's checkpoint
    EXPECT_FALSE(records.append(with));
    const std::vector<AccuracyRecord> all = AccuracyRecords::open_to_read(temp / "r.db").all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].result.learning_curve, with.result.learning_curve);
    EXPECT_TRUE(all[1].result.learning_curve.empty());
    with.key.seed = 3;
    with.result.learning_curve.pop_back();
    EXPECT_THAT(error_of<InputError>([&] { records.append(with); }), HasSubstr("cannot be"));
}

TEST(Records, EnterOnceForARunOnADevice) {
    TempFolder temp;
    AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
    EXPECT_TRUE(records.append(record_of(1, 0.9)));
    EXPECT_FALSE(records.append(record_of(1, 0.8)));
    EXPECT_TRUE(records.append(record_of(1, 0.7, "gpu")));
    EXPECT_TRUE(records.append(record_of(2, 0.9)));
    ASSERT_EQ(records.all().size(), 3U);
    EXPECT_EQ(records.all()[0].result.test_accuracy, 0.9);
    EXPECT_TRUE(records.has(record_of(2, 0.0).key));
    EXPECT_FALSE(records.has(record_of(3, 0.0).key));
}

TEST(Records, RunsThatBeganWithOtherWeightsAreOtherRuns) {
    TempFolder temp;
    AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
    AccuracyRecord tuned = record_of(1, 0.95);
    tuned.key.start_hash = "0123";
    EXPECT_TRUE(records.append(record_of(1, 0.9)));
    EXPECT_FALSE(records.has(tuned.key));
    EXPECT_TRUE(records.append(tuned));
    EXPECT_FALSE(records.append(tuned));
    EXPECT_TRUE(records.has(tuned.key));
    EXPECT_EQ(records.all().back().key, tuned.key);
    EXPECT_EQ(records.summaries().size(), 2U);
    EXPECT_NE(folder_name(tuned.key), folder_name(record_of(1, 0.9).key));
}

// What SQLite says against these statements, in a file as another program opens it; empty where they are done.
std::string sql_error(const std::filesystem::path& file, const char* statements) {
    sqlite3* other = nullptr;
    sqlite3_open(file.c_str(), &other);
    const int code = sqlite3_exec(other, statements, nullptr, nullptr, nullptr);
    const std::string error = code == SQLITE_OK ? "" : sqlite3_errmsg(other);
    sqlite3_close(other);
    return error;
}

// As the schema was before runs could begin with weights.
constexpr const char* schema_1 =
    "CREATE TABLE accuracy (id INTEGER PRIMARY KEY, model TEXT NOT NULL, model_hash TEXT NOT NULL, recipe "
    "TEXT NOT "
    "NULL, recipe_hash TEXT NOT NULL, seed INTEGER NOT NULL, data_hash TEXT NOT NULL, epochs INTEGER NOT "
    "NULL, "
    "train_accuracy REAL NOT NULL, validation_accuracy REAL NOT NULL, test_accuracy REAL NOT NULL, seconds "
    "REAL NOT "
    "NULL, images_per_s REAL NOT NULL, data_wait_share REAL NOT NULL, device TEXT NOT NULL, precision TEXT "
    "NOT NULL, "
    "libraries TEXT NOT NULL, program_version TEXT NOT NULL, finished_at TEXT NOT NULL, "
    "UNIQUE (model_hash, recipe_hash, seed, data_hash, device)) STRICT;"
    "CREATE TRIGGER accuracy_is_kept BEFORE DELETE ON accuracy BEGIN SELECT RAISE(ABORT, 'kept'); END;"
    "CREATE TRIGGER accuracy_is_not_changed BEFORE UPDATE ON accuracy BEGIN SELECT RAISE(ABORT, 'kept'); END;"
    "INSERT INTO accuracy VALUES (1, 'm', 'm-hash', 'r', 'r-hash', 7, 'd-hash', 16, 0.95, 0.91, 0.9, 3600, "
    "200.5, "
    "0.02, 'cpu', 'f32', 'abacus 1.0', '0.1.0', '2026-01-31T12:00:00Z');"
    "PRAGMA application_id = 1212236609; PRAGMA user_version = 1";

TEST(Records, FilesOfTheOlderSchemaAreReadAndGoOn) {
    TempFolder temp;
    ASSERT_EQ(sql_error(temp / "old.db", schema_1), "");
    const RunKey key = record_of(7, 0.9).key;
    {
        const AccuracyRecords read = AccuracyRecords::open_to_read(temp / "old.db");
        ASSERT_EQ(read.all().size(), 1U);
        EXPECT_EQ(read.all()[0].key, key);
        EXPECT_TRUE(read.has(key));
    }
    AccuracyRecords records = AccuracyRecords::open(temp / "old.db");
    ASSERT_EQ(records.all().size(), 1U);
    EXPECT_EQ(records.all()[0].key, key);
    EXPECT_EQ(records.all()[0].result.test_accuracy, 0.9);
    EXPECT_FALSE(records.append(record_of(7, 0.8)));
    AccuracyRecord tuned = record_of(7, 0.8);
    tuned.key.start_hash = "0123";
    EXPECT_TRUE(records.append(tuned));
    EXPECT_EQ(AccuracyRecords::open(temp / "old.db").all().size(), 2U);
}

TEST(Records, FilesWithoutEpochsAreReadAndGoOn) {
    TempFolder temp;
    AccuracyRecords::open(temp / "old.db").append(record_of(7, 0.9));
    ASSERT_EQ(sql_error(temp / "old.db", "DROP TABLE epoch; PRAGMA user_version = 2"), "");
    EXPECT_EQ(AccuracyRecords::open_to_read(temp / "old.db").all().at(0).key, record_of(7, 0.9).key);
    AccuracyRecord next = record_of(8, 0.8);
    next.result.epochs = 1;
    next.result.learning_curve = {{1.0, 0.5, 0.75}};
    EXPECT_TRUE(AccuracyRecords::open(temp / "old.db").append(next));
    const std::vector<AccuracyRecord> all = AccuracyRecords::open_to_read(temp / "old.db").all();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_TRUE(all[0].result.learning_curve.empty());
    EXPECT_EQ(all[1].result.learning_curve, next.result.learning_curve);
}

TEST(Records, SummariesHaveMeanAndDeviationOverSeeds) {
    TempFolder temp;
    AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
    for (const auto& [seed, accuracy] : {std::pair{3, 0.90}, {1, 0.91}, {2, 0.95}}) {
        records.append(record_of(static_cast<std::uint64_t>(seed), accuracy));
    }
    records.append(record_of(1, 0.5, "gpu"));
    const auto summaries = records.summaries();
    ASSERT_EQ(summaries.size(), 2U);
    EXPECT_EQ(summaries[0].device, "cpu");
    EXPECT_EQ(summaries[0].seeds, 3);
    EXPECT_EQ(summaries[0].key.seed, 1U);
    EXPECT_NEAR(summaries[0].mean_test_accuracy, 0.92, 1e-12);
    EXPECT_NEAR(summaries[0].deviation_test_accuracy.value(), std::sqrt(0.0014 / 2), 1e-12);
    EXPECT_NEAR(summaries[0].mean_validation_accuracy, 0.93, 1e-12);
    EXPECT_EQ(summaries[1].seeds, 1);
    EXPECT_FALSE(summaries[1].deviation_test_accuracy.has_value());
}

TEST(Records, RefuseFiguresThatCannotBe) {
    TempFolder temp;
    AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
    for (const double accuracy : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_THAT(error_of<InputError>([&] { records.append(record_of(1, accuracy)); }),
                    HasSubstr("cannot be"));
    }
    EXPECT_TRUE(records.all().empty());
}

TEST(Records, RefuseOtherFiles) {
    TempFolder temp;
    EXPECT_THAT(error_of<InputError>([&] { AccuracyRecords::open_to_read(temp / "no.db"); }),
                HasSubstr("no.db: expected accuracy records"));
    write_bytes(temp / "text.db", std::string(5000, 'x'));
    EXPECT_THAT(error_of<InputError>([&] { AccuracyRecords::open(temp / "text.db"); }),
                HasSubstr("something else"));
    ASSERT_EQ(sql_error(temp / "other.db", "CREATE TABLE t (a)"), "");
    EXPECT_THAT(error_of<InputError>([&] { AccuracyRecords::open(temp / "other.db"); }),
                HasSubstr("another SQLite file"));
    AccuracyRecords::open(temp / "new.db");
    ASSERT_EQ(sql_error(temp / "new.db", "PRAGMA user_version = 9"), "");
    EXPECT_THAT(error_of<InputError>([&] { AccuracyRecords::open(temp / "new.db"); }),
                HasSubstr("found schema 9"));
    EXPECT_THAT(error_of<WorkError>([&] { AccuracyRecords::open("/proc/nowhere/r.db"); }),
                HasSubstr("/proc/nowhere"));
}

TEST(Records, AreNeitherChangedNorRemoved) {
    TempFolder temp;
    AccuracyRecords::open(temp / "r.db").append(record_of(1, 0.9));
    EXPECT_NE(sql_error(temp / "r.db", "UPDATE accuracy SET test_accuracy = 1"), "");
    EXPECT_NE(sql_error(temp / "r.db", "DELETE FROM accuracy"), "");
    ASSERT_EQ(sql_error(temp / "r.db", "INSERT INTO epoch VALUES (1, 1, 1, 0.5, 0.5)"), "");
    EXPECT_NE(sql_error(temp / "r.db", "DELETE FROM epoch"), "");
    EXPECT_NE(sql_error(temp / "r.db", "UPDATE epoch SET loss = 0"), "");
    EXPECT_EQ(AccuracyRecords::open(temp / "r.db").all().at(0).result.test_accuracy, 0.9);
}

TEST(Records, TakeSeveralWritersAtOnce) {
    TempFolder temp;
    constexpr int writers = 4;
    constexpr int each = 10;
    std::vector<pid_t> children;
    for (int writer = 0; writer < writers; ++writer) {
        const pid_t child = ::fork();
        if (child == 0) {
            try {
                AccuracyRecords records = AccuracyRecords::open(temp / "r.db");
                for (int i = 0; i < each; ++i) {
                    records.append(record_of(static_cast<std::uint64_t>(writer * each + i), 0.5));
                    records.append(record_of(1000U + static_cast<std::uint64_t>(i), 0.5));  // of all of them
                }
                ::_exit(0);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "%s\n", error.what());
                ::_exit(1);
            }
        }
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    EXPECT_EQ(AccuracyRecords::open_to_read(temp / "r.db").all().size(),
              static_cast<std::size_t>(writers * each + each));
}

}  // namespace
}  // namespace hacscale
