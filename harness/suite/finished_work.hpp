// What earlier runs of a suite finished in one state of a device, so that the same command continues from
// there. A record stands while the suite, the table's rows in its state, the limit of time for a network and
// the program's version are those that it was made from.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/measure/table_view.hpp"
#include "harness/suite/suite.hpp"
#include "profiler/table/table.hpp"
#include "records/comparison.hpp"
#include "records/provenance.hpp"

namespace hacscale::harness {

// What records of this state are made from as things are now.
records::InputFingerprint input_fingerprint(const Suite& suite, const std::string& suite_hash,
                                            const MeasuredState& state, const Table& table);

// What profiling means as things are now; no warnings.
records::FinishedProfiling profiling_of(const Suite& suite, const records::InputFingerprint& now);

// The profiling that provenance.json of the state's folder tells of. Nothing when it is not `wanted`, or when
// rows failed and are to be tried again.
std::optional<records::FinishedProfiling> finished_profiling(const std::filesystem::path& folder,
                                                             const records::FinishedProfiling& wanted,
                                                             const Table& table, const MeasuredState& state,
                                                             bool retry_failed);

// The comparison in this file. Nothing when it was made from something else, or when a network could not be
// timed and is to be tried again.
std::optional<records::ComparisonRecord> finished_comparison(const std::filesystem::path& file,
                                                             const records::InputFingerprint& now,
                                                             bool retry_failed);

// Whether verify.json of the state's folder has all networks, and is made from what there is now.
bool finished_verification(const std::filesystem::path& folder, const records::InputFingerprint& now);

}  // namespace hacscale::harness
