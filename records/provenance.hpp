// Where a run's figures come from: provenance.json, see docs/formats.md, "Records of a run".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "profiler/table/table.hpp"
#include "records/made_from.hpp"

namespace hacscale::cli {}
namespace hacscale::harness {
using namespace cli;
}

namespace hacscale::cli {

// A suite's profiling that went through: of the rows it left, and with the limits that it had.
struct FinishedProfiling {
    MadeFrom made_from;
    double tolerance = 0.0;
    double minutes = 0.0;
    double total_minutes = 0.0;
    std::vector<std::string> warnings;

    // But for the warnings.
    bool same_as(const FinishedProfiling& other) const {
        return made_from == other.made_from && tolerance == other.tolerance && minutes == other.minutes &&
               total_minutes == other.total_minutes;
    }
};

struct Provenance {
    std::string command;     // as it was typed
    std::string suite;       // its name
    std::string suite_hash;  // harness/suite/folder_claim.hpp
    std::string shard;       // "2/8"; empty: not a shard
    std::string started_at;  // UTC, ISO 8601
    std::string finished_at;
    DeviceRecord device;
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    int threads = 0;
    std::vector<std::string> warnings;
    std::optional<FinishedProfiling> profiled;  // nothing while it is under way
};

std::string to_json(const Provenance& provenance);
// What provenance.json, given as text, says of the profiling. Nothing where it says nothing, or is damaged.
std::optional<FinishedProfiling> finished_profiling_in(const std::string& provenance);

}  // namespace hacscale::cli
