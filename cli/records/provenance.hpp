// Where a run's figures come from: provenance.json, see docs/formats.md, "Records of a run".
#pragma once

#include <string>
#include <vector>

#include "profiler/table/table.hpp"

namespace hacscale::cli {

struct Provenance {
    std::string command;     // as it was typed
    std::string suite;       // its name
    std::string suite_hash;  // cli/suite/folder_claim.hpp
    std::string shard;       // "2/8"; empty: not a shard
    std::string started_at;  // UTC, ISO 8601
    std::string finished_at;
    DeviceRecord device;
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    int threads = 0;
    std::vector<std::string> warnings;
};

std::string to_json(const Provenance& provenance);

}  // namespace hacscale::cli
