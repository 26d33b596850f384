// Whether tables that are to be united are all the shards of one run: told by the suite.json beside each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace hacscale::harness {

// Tables that are no shards are passed over. Throws InputError, naming the files, when shards are of several
// suites or counts, or one is given twice; and, unless `partial`, when some are missing or were not finished.
// Returns what is missing or unfinished, a sentence each.
std::vector<std::string> check_shards(const std::vector<std::filesystem::path>& tables, bool partial);

}  // namespace hacscale::harness
