// Runs a suite whole, or one shard of it: every device, every state (harness/suite/state_run.hpp), and where that
// makes several folders, a page that leads to them. Every step's records are written when they are there, so
// an interrupted or failed run keeps what it has, and the same command goes on from the table.
#pragma once

#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "cli/session.hpp"
#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::cli {

// What is not the suite's to say.
struct RunSettings {
    CounterOptions counters;
    std::optional<Shard> shard;  // measured into its own folder below the run's, with no report
    bool retry_failed = true;    // rows that failed before are tried again
    bool details = false;        // every row of every comparison, before the answer
};

// `folder` gets the files of docs/formats.md, "Records of a run", and the report. Prints the answer.
// Before anything is measured or written: InputError when the folder holds other records or a device cannot
// do a data type, MissingError when a device is not here.
ExitStatus run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                     Session& session);

}  // namespace hacscale::cli
