#include "kernels/cpu/plan_choice.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>

#include "kernels/backend/private_folder.hpp"

namespace hacscale::cpu {
namespace {

constexpr int screening_runs = 3;  // enough to drop what is plainly slow
constexpr double screening_factor = 1.5;
constexpr int timed_rounds = 15;
constexpr int min_rounds = 4;
constexpr double enough_us = 200e3;  // after so long and the fewest rounds, more of them change nothing
constexpr double worth_a_change = 0.97;

double timed(const PlanCandidate& candidate, const std::function<double()>& clock) {
    candidate.prepare();
    const double start = clock();
    candidate.run();
    return clock() - start;
}

std::string cache_file(const std::string& fingerprint) {
    const std::filesystem::path folder = plan_cache_folder();
    return folder.empty() ? std::string() : (folder / plan_cache_file(fingerprint)).string();
}

}  // namespace

std::string plan_cache_file(const std::string& fingerprint) {
    return "plans-" + fingerprint + ".txt";
}

std::size_t fastest(const std::vector<PlanCandidate>& candidates, const std::function<double()>& clock) {
    if (candidates.size() < 2) return 0;
    std::vector<double> best(candidates.size(), std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        candidates[i].run();
        for (int r = 0; r < screening_runs; ++r) best[i] = std::min(best[i], timed(candidates[i], clock));
    }
    const double limit = screening_factor * *std::min_element(best.begin(), best.end());
    // The best of many: other work on the machine only ever adds time, so it must not decide.
    const double start = clock();
    for (int r = 0; r < timed_rounds && (r < min_rounds || clock() - start < enough_us); ++r) {
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (best[i] <= limit) best[i] = std::min(best[i], timed(candidates[i], clock));
        }
    }
    std::size_t chosen = 0;
    for (std::size_t i = 1; i < candidates.size(); ++i) {
        if (best[i] < worth_a_change * best[chosen]) chosen = i;
    }
    return chosen;
}

PlanCache& PlanCache::instance(const std::string& fingerprint) {
    static PlanCache cache(cache_file(fingerprint), PrivateFolder::IfAbsent::make);
    return cache;
}

PlanCache::PlanCache(const std::filesystem::path& file, PrivateFolder::IfAbsent absent)
    : file_(file.filename()) {
    if (file.empty()) return;
    folder_ = std::make_unique<PrivateFolder>(file.parent_path(), absent);
    std::string distrust_reason;  // the device's warnings have it (plan_cache_obstacle)
    std::istringstream in(folder_->read(file_, distrust_reason).value_or(""));
    for (std::string line; std::getline(in, line);) {
        const std::size_t tab = line.find('\t');
        if (tab != std::string::npos) names_[line.substr(0, tab)] = line.substr(tab + 1);
    }
}

std::optional<std::string> PlanCache::find(const std::string& key) const {
    const auto found = names_.find(key);
    return found == names_.end() ? std::nullopt : std::optional(found->second);
}

void PlanCache::remember(const std::string& key, const std::string& name) {
    names_[key] = name;
    if (folder_ != nullptr) folder_->append(file_, key + '\t' + name + '\n');
}

}  // namespace hacscale::cpu
