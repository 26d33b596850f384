#include "cli/records/provenance.hpp"

#include "cli/records/device_json.hpp"
#include "cli/version.hpp"

namespace hacscale::cli {

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
                    {"warnings", provenance.warnings}});
}

}  // namespace hacscale::cli
