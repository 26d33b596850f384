// Accuracy records: one append-only SQLite table, one row a finished training. Nothing else enters, and no
// row is changed or removed. The schema is described in docs/formats.md, "Accuracy records". Several
// processes and machines may write to one file: it has a rollback journal rather than a write-ahead log,
// because the latter does not work on a file system that machines share, and a record an hour needs no speed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "training/run.hpp"
#include "training/trainer.hpp"

namespace hacscale {

struct AccuracyRecord {
    RunKey key;
    TrainingResult result;
    std::string device;           // as the trainer names it
    std::string libraries;        // names and versions
    std::string program_version;  // of hacscale
    std::string finished_at;      // UTC, ISO 8601; filled in by append() when empty
};

// Over the seeds of one (model, recipe, data, device).
struct AccuracySummary {
    RunKey key;  // its seed is the lowest one
    std::string device;
    int seeds = 0;
    double mean_test_accuracy = 0.0;  // 0..1
    // Sample standard deviation; nothing for a single seed.
    std::optional<double> deviation_test_accuracy;
    double mean_validation_accuracy = 0.0;
    std::optional<double> deviation_validation_accuracy;
};

class AccuracyRecords {
public:
    // Makes the file when it is not there. InputError: the file is something else, or of a newer program.
    static AccuracyRecords open(const std::filesystem::path& file);
    // InputError also when there is no such file.
    static AccuracyRecords open_to_read(const std::filesystem::path& file);
    ~AccuracyRecords();
    AccuracyRecords(AccuracyRecords&&) noexcept;

    // False, and nothing is written, when this run on this device is there already: once a (model, recipe,
    // seed, data, device). InputError for accuracies outside 0..1 and figures that are no numbers.
    bool append(AccuracyRecord record);
    // Whether this run was finished, on whatever device.
    bool has(const RunKey& key) const;
    std::vector<AccuracyRecord> all() const;  // in the order they were finished
    std::vector<AccuracySummary> summaries() const;

private:
    class File;
    explicit AccuracyRecords(std::unique_ptr<File> file);
    std::unique_ptr<File> file_;
};

}  // namespace hacscale
