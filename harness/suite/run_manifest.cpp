#include "harness/suite/run_manifest.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/text/read_file.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

constexpr const char* manifest_file = "suite.json";

records::Json networks(const std::vector<SuiteModel>& models) {
    records::Json list = records::Json::array();
    for (const SuiteModel& model : models) {
        list.push_back(network_hash(*model.network));
    }
    return list;
}

template <typename Value>
records::Json words(const std::vector<Value>& values) {
    records::Json list = records::Json::array();
    for (const Value value : values) {
        list.push_back(name_of(value));
    }
    return list;
}

// Ratios as numbers, others as texts.
records::Json budgets(const std::vector<Budget>& budgets) {
    records::Json list = records::Json::array();
    for (const Budget& budget : budgets) {
        list.push_back(budget.is_ratio() ? records::Json(budget.value) : records::Json(budget.text()));
    }
    return list;
}

std::string in_words(const RunManifest& manifest) {
    return manifest.shard ? fmt::format("shard {} of the suite {}", name_of(*manifest.shard), manifest.suite)
                          : fmt::format("the suite {}", manifest.suite);
}

// Runs of older programs wrote the suite's name and no more.
std::string suite_of_provenance(const std::filesystem::path& folder) {
    return records::unless_unreadable(
               [&] { return records::JsonPlace::open(folder / "provenance.json").text_or_empty("suite"); })
        .value_or("");
}

}  // namespace

std::string suite_hash(const Suite& suite) {
    records::Json gains = records::Json::object();
    for (const auto& [name, file] : suite.gains) {
        const auto model = std::find_if(suite.models.begin(), suite.models.end(),
                                        [&name = name](const SuiteModel& one) { return one.name == name; });
        gains[network_hash(*model->network)].push_back(hex_hash(read_if_there(file)));
    }
    const SpaceSettings space = for_all_budgets(suite, space_of_graphs(suite));
    records::Json identity{
        {"name", suite.name},
        {"models", networks(suite.models)},
        {"devices", suite.devices},
        {"threads", suite.threads},
        {"batches", suite.batches},
        {"dtypes", words(suite.types)},
        {"caches", words(suite.caches)},
        {"budgets", budgets(suite.budgets)},
        {"strategies", suite.strategies},
        {"space",
         {suite.grid, *space.min_width_ratio, *space.max_width_ratio, *space.min_depth_ratio,
          *space.max_depth_ratio, suite.min_inner_ratio, suite.max_inner_ratio, suite.inner_widths}},
        {"resolutions", suite.resolutions},
        {"resolution_steps", suite.resolution_steps},
        {"verify", networks(suite.verify)},
        {"gains", std::move(gains)}};
    // Hashes of before there was a choice stay.
    if (suite.rows != RowMethod::stopwatch) identity["rows"] = name_of(suite.rows);
    return hex_hash(identity.dump());
}

std::optional<RunManifest> read_manifest(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / manifest_file;
    if (!std::filesystem::exists(file)) {
        return std::nullopt;
    }
    try {
        const records::JsonPlace record = records::JsonPlace::open(file);
        RunManifest manifest{
            record.text("suite"), record.text("suite_hash"), {}, record.flag_or_false("finished")};
        if (const auto shard = record.object_or_null("shard")) {
            manifest.shard = Shard{shard->integer("index"), shard->integer("count")};
            const auto& [index, count] = *manifest.shard;
            if (index < 1 || index > count) {
                shard->fail("index", fmt::format("1 to {}", count));
            }
        }
        return manifest;
    } catch (const InputError& error) {
        throw InputError(fmt::format(
            "{}; without it, it cannot be told which suite the folder belongs to: choose another folder",
            error.what()));
    }
}

void check_manifest(const std::filesystem::path& folder, const RunManifest& manifest) {
    const std::optional<RunManifest> before = read_manifest(folder);
    if (!before) {
        const std::string older = suite_of_provenance(folder);
        if (!older.empty() && older != manifest.suite) {
            throw InputError(
                fmt::format("{} holds the records of the suite {}, and not of {}; nothing was "
                            "changed there, choose another folder with --out",
                            folder.string(), older, in_words(manifest)));
        }
        return;
    }
    if (before->suite != manifest.suite || before->shard != manifest.shard) {
        throw InputError(fmt::format(
            "{} holds the records of {}, and not of {}; nothing was changed there, choose another "
            "folder with --out",
            folder.string(), in_words(*before), in_words(manifest)));
    }
    if (before->suite_hash != manifest.suite_hash) {
        throw InputError(fmt::format(
            "{} holds the records of the suite {} as it was before it was changed (hash {}, now {}); nothing "
            "was "
            "changed there, choose another folder with --out, and put the table there first to keep its rows",
            folder.string(), manifest.suite, before->suite_hash, manifest.suite_hash));
    }
}

void write_manifest(const std::filesystem::path& folder, const RunManifest& manifest) {
    records::Json record{{"suite", manifest.suite}, {"suite_hash", manifest.suite_hash}, {"shard", nullptr}};
    if (manifest.shard) {
        record["shard"] = {{"index", manifest.shard->index}, {"count", manifest.shard->count}};
    }
    record["finished"] = manifest.finished;
    records::write_record(folder / manifest_file, records::text_of(record));
}

namespace {

struct ShardTable {
    std::filesystem::path file;
    RunManifest manifest;
};

void check_pair(const ShardTable& first, const ShardTable& other) {
    if (other.manifest.suite_hash != first.manifest.suite_hash) {
        throw InputError(
            fmt::format("{} is a shard of the suite {} (hash {}) and {} one of {} (hash {}); merge shards of "
                        "one suite only",
                        first.file.string(), first.manifest.suite, first.manifest.suite_hash,
                        other.file.string(), other.manifest.suite, other.manifest.suite_hash));
    }
    if (other.manifest.shard->count != first.manifest.shard->count) {
        throw InputError(
            fmt::format("{} is shard {} and {} shard {}: two ways of dividing one suite, whose parts "
                        "overlap; merge shards of "
                        "one of them",
                        first.file.string(), name_of(*first.manifest.shard), other.file.string(),
                        name_of(*other.manifest.shard)));
    }
}

}  // namespace

std::vector<std::string> check_shards(const std::vector<std::filesystem::path>& tables, bool partial) {
    std::map<int, ShardTable> shards;
    for (const std::filesystem::path& file : tables) {
        std::optional<RunManifest> manifest = read_manifest(file.parent_path());
        if (!manifest || !manifest->shard) {
            continue;
        }
        const int index = manifest->shard->index;
        const ShardTable table{file, std::move(*manifest)};
        const auto [place, added] = shards.try_emplace(index, table);
        if (!added) {
            check_pair(place->second, table);
            throw InputError(fmt::format("shard {} is given twice: {} and {}; name each once",
                                         name_of(*place->second.manifest.shard), place->second.file.string(),
                                         file.string()));
        }
        check_pair(shards.begin()->second, place->second);
    }
    std::vector<std::string> gaps;
    if (shards.empty()) {
        return gaps;
    }
    const RunManifest& first = shards.begin()->second.manifest;
    for (int index = 1; index <= first.shard->count; ++index) {
        const auto found = shards.find(index);
        if (found == shards.end()) {
            gaps.push_back(
                fmt::format("shard {}/{} of {} is missing", index, first.shard->count, first.suite));
        } else if (!found->second.manifest.finished) {
            gaps.push_back(fmt::format("shard {}/{} of {} ({}) was not finished", index, first.shard->count,
                                       first.suite, found->second.file.string()));
        }
    }
    if (!gaps.empty() && !partial) {
        std::string message = gaps.front();
        for (std::size_t i = 1; i < gaps.size(); ++i) {
            message += ", " + gaps[i];
        }
        throw InputError(message + "; run it again, or unite what there is with --partial");
    }
    return gaps;
}

}  // namespace hacscale::harness
