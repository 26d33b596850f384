// Whose a folder of records is. suite.json is in a run's folder and beside each of its tables: it names the
// suite by a hash of what it measures, and the shard. So records of two suites are never mixed, and shards
// that are to be merged can be told to fit together. docs/formats.md, "Records of a run".
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/suite/shard.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::harness {

struct RunManifest {
    std::string suite;       // its name
    std::string suite_hash;  // suite_hash()
    std::optional<Shard> shard;
    bool finished = false;  // all that was to be done was done; noisy rows count as done
};

// Of all that decides which rows a run wants and what it compares: not of limits of time, nor of accuracies
// to show, nor of where files are, so that these may change and a run be resumed on any machine.
std::string suite_hash(const Suite& suite);

// Nothing where there is no suite.json. InputError when it is damaged.
std::optional<RunManifest> read_manifest(const std::filesystem::path& folder);

// Throws InputError, naming the suite that the folder belongs to, when its records are of another suite, of
// one of the same name that measures something else, or of another shard. A folder with no more than a table
// is free.
void check_manifest(const std::filesystem::path& folder, const RunManifest& manifest);
// The folder must exist.
void write_manifest(const std::filesystem::path& folder, const RunManifest& manifest);

// Whether tables that are to be merged are all the shards of one run, as the suite.json beside each says. Tables that are no shards are passed over. Throws InputError, naming the files, when shards are of several
// suites or counts, or one is given twice; and, unless `partial`, when some are missing or were not finished.
// Returns what is missing or unfinished, a sentence each.
std::vector<std::string> check_shards(const std::vector<std::filesystem::path>& tables, bool partial);

}  // namespace hacscale::harness
