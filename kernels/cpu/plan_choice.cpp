#include "kernels/cpu/plan_choice.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>

#include "kernels/plan_cache_folder.hpp"

namespace hacscale::cpu {
namespace {

constexpr int screening_runs = 3;  // enough to drop what is plainly slow
constexpr double screening_factor = 1.5;
constexpr int timed_rounds = 15;
constexpr int fewest_rounds = 4;
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
    if (folder.empty()) return {};
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return folder / plan_cache_file(fingerprint);
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
    for (int r = 0; r < timed_rounds && (r < fewest_rounds || clock() - start < enough_us); ++r) {
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
    static PlanCache cache(cache_file(fingerprint));
    return cache;
}

PlanCache::PlanCache(std::string file) : file_(std::move(file)) {
    std::ifstream in(file_);
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
    if (file_.empty()) return;
    std::ofstream out(file_, std::ios::app);
    out << key + '\t' + name + '\n' << std::flush;
}

}  // namespace hacscale::cpu
