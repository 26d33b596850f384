#include "records/provenance.hpp"

#include "base/version.hpp"
#include "records/device_json.hpp"
#include "records/made_from_json.hpp"

namespace hacscale::cli {

namespace {

Json profiled_json(const std::optional<FinishedProfiling>& profiled) {
    if (!profiled) {
        return nullptr;
    }
    return {{"made_from", made_from_json(profiled->made_from)},
            {"tolerance", profiled->tolerance},
            {"minutes", profiled->minutes},
            {"total_minutes", profiled->total_minutes},
            {"warnings", profiled->warnings}};
}

}  // namespace

std::string to_json(const Provenance& provenance) {
    return text_of({{"program", "hacscale"},
                    {"version", version()},
                    {"command", provenance.command},
                    {"suite", provenance.suite},
                    {"suite_hash", provenance.suite_hash},
                    {"shard", provenance.shard},
                    {"started_at", provenance.started_at},
                    {"finished_at", provenance.finished_at},
                    {"device", device_json(provenance.device)},
                    {"settings",
                     {{"batch", provenance.batch},
                      {"dtype", name_of(provenance.type)},
                      {"cache", name_of(provenance.cache)},
                      {"threads", provenance.threads}}},
                    {"warnings", provenance.warnings},
                    {"profiled", profiled_json(provenance.profiled)}});
}

std::optional<FinishedProfiling> finished_profiling_in(const std::string& provenance) {
    try {
        const Json json = Json::parse(provenance).at("profiled");
        if (json.is_null()) {
            return std::nullopt;
        }
        return FinishedProfiling{made_from_in(json.at("made_from")), json.at("tolerance"), json.at("minutes"),
                                 json.at("total_minutes"), json.at("warnings")};
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace hacscale::cli
