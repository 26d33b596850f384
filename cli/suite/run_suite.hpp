// Runs a suite whole: profile, compare each network at each budget, verify, and report. Every step's records
// are written when they are there, so an interrupted or failed run keeps what it has, and the same command
// goes on from the table.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "cli/options.hpp"
#include "cli/session.hpp"
#include "cli/suite/suite.hpp"

namespace hacscale::cli {

// What is not the suite's to say.
struct RunSettings {
    CounterOptions counters;
    bool retry_failed = true;  // rows that failed before are tried again
};

// `folder` gets the files of docs/formats.md, "Records of a run", and the report. Prints where they are.
ExitStatus run_suite(const Suite& suite, const std::filesystem::path& folder, const RunSettings& settings,
                     Session& session);

}  // namespace hacscale::cli
