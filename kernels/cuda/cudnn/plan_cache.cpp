#include "kernels/cuda/cudnn/plan_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "kernels/backend/private_folder.hpp"

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

const PrivateFolder* PlanCache::opened_folder(PrivateFolder::IfAbsent absent) {
    if (folder_.empty()) return nullptr;
    // What was not there may be by now.
    if (opened_ == nullptr || (!opened_->usable() && opened_->distrust_reason().empty())) {
        opened_ = std::make_unique<PrivateFolder>(folder_, absent);
        if (!opened_->distrust_reason().empty()) warn_once(opened_->distrust_reason());
    }
    return opened_->usable() ? opened_.get() : nullptr;
}

std::optional<CachedChoice> PlanCache::find(const std::string& key) {
    const auto known = choices_.find(key);
    if (known != choices_.end()) return known->second;
    const PrivateFolder* const folder = opened_folder(PrivateFolder::IfAbsent::leave);
    if (folder == nullptr) return std::nullopt;
    std::string distrust_reason;
    const std::optional<std::string> text = folder->read(file_of(key).filename(), distrust_reason);
    if (!distrust_reason.empty()) warn_once(distrust_reason);
    if (!text) return std::nullopt;
    auto choice = parse_entry(*text, key);
    if (!choice) {
        warn_once(fmt::format("{} is damaged; the choice is made anew", file_of(key).string()));
        return std::nullopt;
    }
    choices_[key] = *choice;
    return choice;
}

void PlanCache::remember(const std::string& key, const CachedChoice& choice) {
    choices_[key] = choice;
    const PrivateFolder* const folder = opened_folder(PrivateFolder::IfAbsent::make);
    if (folder == nullptr) return;
    const nlohmann::json entry = {{"schema", entry_schema},
                                  {"key", key},
                                  {"implementation", choice.implementation},
                                  {"plan", choice.plan}};
    folder->replace(file_of(key).filename(), entry.dump());
}

void PlanCache::reject(const std::string& key, const std::string& reason) {
    choices_.erase(key);
    const PrivateFolder* const folder = opened_folder(PrivateFolder::IfAbsent::leave);
    if (folder == nullptr) return;
    warn_once(fmt::format("{} is not used: {}; the choice is made anew", file_of(key).string(), reason));
    folder->remove(file_of(key).filename());
}

std::string plan_key(const LayerContext& context) {
    return fmt::format("{}_b{}_{}_{}", context.layer.key(), context.batch, name_of(context.type),
                       name_of(context.l2));
}

}  // namespace hacscale::cuda
