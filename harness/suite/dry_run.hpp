// What running a suite would do, without doing it: which networks in which states, which of their rows a
// table in the folder has already, and how long all of it may take. Devices need not be here, and nothing is
// written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::harness {

struct PlannedUnit {
    ProfileUnit unit;
    std::string network;  // its name
    int known = 0;        // rows of the network's own layers that a table has
    int fresh = 0;        // and those that are to be measured
    double seconds_expected = 0.0;
};

struct PlannedState {
    MeasuredState state;
    std::filesystem::path folder;
    std::string unsupported_reason{};  // why the device cannot do it; empty when it can
    std::vector<PlannedUnit> units{};
    int comparisons = 0;
    int comparisons_known = 0;  // those that are finished and stand
    double seconds_at_most = 0.0;
    double seconds_expected = 0.0;
};

struct PlannedDevice {
    std::string id;
    std::string absence;  // why it is not here; empty when it is
    std::filesystem::path table;
    std::int64_t rows = 0;
    std::vector<PlannedState> states;
};

struct SuiteForecast {
    std::vector<PlannedDevice> devices;
    double seconds_at_most = 0.0;
    double seconds_expected = 0.0;
};

// Throws InputError where run_suite() would for the folder's sake.
SuiteForecast dry_run(const Suite& suite, const std::filesystem::path& folder,
                      const std::optional<Shard>& shard);

// The answer in JSON (docs/cli.md, "run").
std::string to_json(const SuiteForecast& forecast, const Suite& suite, const std::filesystem::path& folder,
                    const std::optional<Shard>& shard);

}  // namespace hacscale::harness
