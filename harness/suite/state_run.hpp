// One device in one state, of a suite's run: profile the networks, compare each at each budget, verify, and
// report. Every step's records are written when they are there, and steps that an earlier run finished are
// not gone through again (harness/suite/finished_work.hpp).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/accuracies.hpp"
#include "harness/events.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/suite/run_clock.hpp"
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/table/table.hpp"
#include "records/comparison.hpp"

namespace hacscale::harness {

struct StateJob {
    const Suite& suite;
    RunManifest manifest;
    std::string command;  // as it was typed, for the records
    MeasuredState state;
    std::vector<ProfileUnit> units;  // to profile; of a shard that is all, without comparisons and report
    std::filesystem::path folder;    // of the records; it exists
    bool retry_failed = true;
    const KnownAccuracies* accuracies = nullptr;  // to show; null: none
};

struct StateResult {
    bool complete = true;  // nothing missing, nothing noisy
    bool finished = true;  // every step was gone through: no interrupt came, and the time was enough
    std::vector<std::string> warnings;
    std::vector<records::ComparisonRecord> comparisons;
    std::vector<std::filesystem::path> files;  // of the report
};

StateResult run_state(const StateJob& job, const DeviceAccess& device, Instruments* instruments, Table& table,
                      RunClock& clock, Events& events);

// "batch 8 f16 network", and the same as a folder's name.
std::string name_of(const MeasuredState& state);
std::string folder_name(const MeasuredState& state);

}  // namespace hacscale::harness
