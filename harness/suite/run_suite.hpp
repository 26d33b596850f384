// Runs a suite whole, or one shard of it: every device, every state (harness/suite/state_run.hpp), and where that
// makes several folders, a page that leads to them. Every step's records are written when they are there, so
// an interrupted or failed run keeps what it has, and the same command resumes from the table.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/suite/layout.hpp"
#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::harness {

// What is not the suite's to say.
struct RunSettings {
    CounterSettings counters;
    std::optional<Shard> shard;  // measured into its own folder below the run's, with no report
    bool retry_failed = true;    // rows that failed before are tried again
    std::string command;         // as it was typed, for the records
};

struct SuiteOutcome {
    std::string suite_hash;
    std::filesystem::path folder;  // of the records; a shard's own
    std::vector<FinishedRun> runs;
    std::vector<std::string> warnings;
    std::vector<std::filesystem::path> tables;
    std::vector<std::filesystem::path> files;  // of the reports
    bool complete = true;                      // nothing missing, nothing noisy
    bool finished = true;                      // every step was gone through
    bool stopped = false;                      // by the caller: the rest says what was done before

    std::vector<const records::ComparisonRecord*> comparisons() const;
};

// `folder` gets the files of docs/formats.md, "Records of a run", and the report.
// Before anything is measured or written: InputError when the folder holds other records or a device cannot
// do a data type, MissingError when a device is not here.
SuiteOutcome run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                       Events& events);

// The answer in JSON (docs/cli.md, "run"), and in lines as answer_lines() makes them.
std::string to_json(const SuiteOutcome& outcome, const Suite& suite, const std::optional<Shard>& shard);
std::vector<std::string> answer_lines(const SuiteOutcome& outcome, const std::optional<Shard>& shard);

}  // namespace hacscale::harness
