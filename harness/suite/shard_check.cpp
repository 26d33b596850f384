#include "harness/suite/shard_check.hpp"

#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "harness/suite/folder_claim.hpp"

namespace hacscale::harness {

namespace {

struct ShardTable {
    std::filesystem::path file;
    FolderClaim claim;
};

void check_pair(const ShardTable& first, const ShardTable& other) {
    if (other.claim.suite_hash != first.claim.suite_hash) {
        throw InputError(
            fmt::format("{} is a shard of the suite {} (hash {}) and {} one of {} (hash {}); merge shards of "
                        "one suite only",
                        first.file.string(), first.claim.suite, first.claim.suite_hash, other.file.string(),
                        other.claim.suite, other.claim.suite_hash));
    }
    if (other.claim.shard->count != first.claim.shard->count) {
        throw InputError(
            fmt::format("{} is shard {} and {} shard {}: two ways of dividing one suite, whose parts "
                        "overlap; merge shards of "
                        "one of them",
                        first.file.string(), name_of(*first.claim.shard), other.file.string(),
                        name_of(*other.claim.shard)));
    }
}

}  // namespace

std::vector<std::string> check_shards(const std::vector<std::filesystem::path>& tables, bool partial) {
    std::map<int, ShardTable> shards;
    for (const std::filesystem::path& file : tables) {
        std::optional<FolderClaim> claim = read_claim(file.parent_path());
        if (!claim || !claim->shard) {
            continue;
        }
        const int index = claim->shard->index;
        const ShardTable table{file, std::move(*claim)};
        const auto [place, added] = shards.try_emplace(index, table);
        if (!added) {
            check_pair(place->second, table);
            throw InputError(fmt::format("shard {} is given twice: {} and {}; name each once",
                                         name_of(*place->second.claim.shard), place->second.file.string(),
                                         file.string()));
        }
        check_pair(shards.begin()->second, place->second);
    }
    std::vector<std::string> gaps;
    if (shards.empty()) {
        return gaps;
    }
    const FolderClaim& first = shards.begin()->second.claim;
    for (int index = 1; index <= first.shard->count; ++index) {
        const auto found = shards.find(index);
        if (found == shards.end()) {
            gaps.push_back(
                fmt::format("shard {}/{} of {} is missing", index, first.shard->count, first.suite));
        } else if (!found->second.claim.finished) {
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
