// Where a run's figures come from: provenance.json, see docs/formats.md, "Records of a run".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "profiler/table/table.hpp"
#include "records/record_file.hpp"

namespace hacscale::records {

// A suite's profiling that went through: of the rows it left, and with the limits that it had.
struct FinishedProfiling {
    InputFingerprint input_fingerprint;
    double tolerance = 0.0;
    double minutes = 0.0;
    double total_minutes = 0.0;
    std::vector<std::string> warnings;

    // But for the warnings.
    bool same_as(const FinishedProfiling& other) const {
        return input_fingerprint == other.input_fingerprint && tolerance == other.tolerance &&
               minutes == other.minutes && total_minutes == other.total_minutes;
    }
};

// In which state a run measured, and with how many threads. Absent where the records do not say, as a table's, whose rows
// may have several states.
struct RunSettings {
    std::optional<int> batch{};
    std::optional<DataType> type{};
    std::optional<CacheState> cache{};
    std::optional<int> threads{};
};

struct Provenance {
    std::string program = "hacscale";
    std::string version;
    std::string command;     // as it was typed
    std::string suite;       // its name
    std::string suite_hash;  // harness/suite/run_manifest.hpp
    std::string shard;       // "2/8"; empty: not a shard
    std::string started_at;  // UTC, ISO 8601
    std::string finished_at;
    DeviceRecord device;
    RunSettings settings;
    std::vector<std::string> warnings;
    std::optional<FinishedProfiling> profiled;  // nothing while it is under way
};

// By name, as text: "batch", "dtype", "cache", "threads"; without those that are absent.
std::vector<std::pair<std::string, std::string>> named_settings(const Provenance& provenance);
// By name: texts as they are, other values as JSON; without those that are null.
std::vector<std::pair<std::string, std::string>> named_properties(const DeviceRecord& device);

std::string to_json(const Provenance& provenance);
// Throws InputError that names file, key and what was expected.
Provenance read_provenance(const std::filesystem::path& file);

}  // namespace hacscale::records
