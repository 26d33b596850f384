// Accuracy records: one append-only SQLite file, one row a finished training and one for each of its epochs. Nothing else enters, and no
// row is changed or removed. The schema is described in docs/formats.md, "Accuracy records". Several
// processes and machines may write to one file: it has a rollback journal rather than a write-ahead log,
// because the latter does not work on a file system that machines share, and a record an hour needs no speed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "training/recipe.hpp"
#include "training/trainer.hpp"

namespace hacscale {

// What makes two trainings the same one, since they would give the same numbers.
struct RunKey {
    std::string model;  // its name, for people
    std::string model_hash;
    std::string recipe;  // its name, for people
    std::string recipe_hash;
    std::uint64_t seed = 1;
    std::string data_hash;
    std::string start_hash{};  // of the weights that it began with (stage_weights.hpp); empty for random ones
    bool operator==(const RunKey&) const = default;
};

RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed, const std::string& data_hash,
               const std::string& start_hash = "");

// Name of the folder that holds a run's checkpoints: readable, and different for different keys.
std::string folder_name(const RunKey& key);

// Locks one run for this process, with an advisory lock (flock) on a file in the run's folder; the
// kernel drops it when the process ends in whatever way, so a killed process never blocks a run. It holds
// between machines as far as their shared file system carries flock: NFS does on Linux (since 2.6.12), Lustre
// when it is mounted with the option flock.
class RunLock {
public:
    // Nothing when another process has it. Makes the folder. Throws WorkError when the folder cannot be
    // written or its file system has no locks.
    static std::optional<RunLock> try_lock(const std::filesystem::path& run_folder);
    // Who has the run, as far as its file says: "process 4711 on node17".
    static std::string holder(const std::filesystem::path& run_folder);

    ~RunLock();
    RunLock(RunLock&& other) noexcept;
    RunLock& operator=(RunLock&&) = delete;

private:
    explicit RunLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

struct AccuracyRecord {
    RunKey key;
    TrainingResult result;
    std::string device;           // as the trainer names it
    std::string libraries;        // names and versions
    std::string program_version;  // of hacscale
    std::string finished_at;      // UTC, ISO 8601; filled in by append() when empty
};

// Over the seeds of one (model, recipe, data, device), apart for runs that began with random weights and with others.
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
    // Makes the file when it is not there, and brings one of an older schema to this one. InputError: the file is something else, or of a newer program.
    static AccuracyRecords open(const std::filesystem::path& file);
    // InputError also when there is no such file.
    static AccuracyRecords open_to_read(const std::filesystem::path& file);
    ~AccuracyRecords();
    AccuracyRecords(AccuracyRecords&&) noexcept;

    // False, and nothing is written, when this run on this device is there already: once a (model, recipe,
    // seed, data, starting weights, device). InputError for accuracies outside 0..1 and figures that are no numbers.
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
