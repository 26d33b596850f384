// What running a suite would do, without doing it: which networks in which states, which of their rows a
// table in the folder has already, and how long all of it may take. Devices need not be here, and nothing is
// written.
#pragma once

#include <filesystem>
#include <optional>

#include "cli/session.hpp"
#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::cli {

// Throws InputError where run_suite() would for the folder's sake.
void dry_run(const Suite& suite, const std::filesystem::path& folder, const std::optional<Shard>& shard,
             Session& session);

}  // namespace hacscale::cli
