#include "kernels/cuda/cudnn/plan_cache.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>

#include "kernels/plan_cache_folder.hpp"

namespace hacscale::cuda {
namespace {

namespace fs = std::filesystem;
constexpr int entry_schema = 1;

fs::path cache_folder(const std::string& fingerprint) {
    const fs::path folder = plan_cache_folder();
    if (folder.empty()) return {};
    return folder / ("plans-" + fingerprint);
}

// The entry of this key; nothing when the text is damaged.
std::optional<CachedChoice> parse_entry(const std::string& text, const std::string& key) {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    try {
        if (json.at("schema") != entry_schema || json.at("key") != key) return std::nullopt;
        return CachedChoice{json.at("implementation").get<std::string>(), json.at("plan").get<std::string>()};
    } catch (const nlohmann::json::exception&) {
        return std::nullopt;
    }
}

}  // namespace

PlanCache& PlanCache::instance(const std::string& fingerprint) {
    static std::mutex mutex;
    static std::map<std::string, std::unique_ptr<PlanCache>> caches;
    const std::lock_guard lock(mutex);
    auto& cache = caches[fingerprint];
    if (cache == nullptr) {
        cache = std::make_unique<PlanCache>(cache_folder(fingerprint), [](const std::string& text) {
            std::cerr << "warning: " + text + "\n";
        });
    }
    return *cache;
}

PlanCache::PlanCache(fs::path folder, Warn warn) : folder_(std::move(folder)), warn_(std::move(warn)) {}

fs::path PlanCache::file_of(const std::string& key) const {
    std::string name = key;
    std::replace_if(
        name.begin(), name.end(),
        [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-' && c != '.'; }, '-');
    return folder_ / (name + ".json");
}

void PlanCache::warn_once(const std::string& text) {
    if (!warned_) warn_(text);
    warned_ = true;
}

std::optional<CachedChoice> PlanCache::find(const std::string& key) {
    const auto known = choices_.find(key);
    if (known != choices_.end()) return known->second;
    if (folder_.empty()) return std::nullopt;
    std::ifstream in(file_of(key), std::ios::binary);
    if (!in) return std::nullopt;
    std::ostringstream text;
    text << in.rdbuf();
    auto choice = parse_entry(text.str(), key);
    if (!choice) {
        warn_once(fmt::format("{} is damaged; the choice is made anew", file_of(key).string()));
        return std::nullopt;
    }
    choices_[key] = *choice;
    return choice;
}

void PlanCache::remember(const std::string& key, const CachedChoice& choice) {
    choices_[key] = choice;
    if (folder_.empty()) return;
    const nlohmann::json entry = {{"schema", entry_schema},
                                  {"key", key},
                                  {"implementation", choice.implementation},
                                  {"plan", choice.plan}};
    std::error_code error;
    fs::create_directories(folder_, error);
    const fs::path file = file_of(key);
    static std::atomic<int> drafts{0};
    const fs::path draft = file.string() + fmt::format(".{}-{}.tmp", getpid(), drafts++);
    {
        std::ofstream out(draft, std::ios::binary);
        out << entry.dump() << std::flush;
        if (!out) {
            fs::remove(draft, error);
            return;
        }
    }
    fs::rename(draft, file, error);
    if (error) fs::remove(draft, error);
}

void PlanCache::reject(const std::string& key, const std::string& reason) {
    choices_.erase(key);
    if (folder_.empty()) return;
    warn_once(fmt::format("{} is not used: {}; the choice is made anew", file_of(key).string(), reason));
    std::error_code error;
    fs::remove(file_of(key), error);
}

std::string plan_key(const LayerContext& context) {
    return fmt::format("{}_b{}_{}_{}", context.layer.key(), context.batch, name_of(context.type),
                       name_of(context.l2));
}

}  // namespace hacscale::cuda
