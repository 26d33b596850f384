#include "scaling/planner/detail/labels.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace hacscale::planner {
namespace {

// The (gain, params) pairs kept so far that no other one covers: params rise with gain.
class Staircase {
public:
    // False when a kept pair has no less gain and no more params; else takes the pair in.
    bool take(std::int64_t gain, std::int64_t params) {
        const auto above = steps_.lower_bound(gain);
        if (above != steps_.end() && above->second <= params) return false;
        auto first = above;
        while (first != steps_.begin() && std::prev(first)->second >= params) --first;
        auto last = above != steps_.end() && above->first == gain ? std::next(above) : above;
        steps_.erase(first, last);
        steps_.emplace(gain, params);
        return true;
    }

private:
    std::map<std::int64_t, std::int64_t> steps_;
};

}  // namespace

Labels keep_best(std::vector<Candidate>& candidates, std::int64_t trim, std::int64_t params_floor) {
    const auto order = [trim](const Candidate& a, const Candidate& b) {
        const std::int64_t a_cost = trim == 1 ? a.cost : a.cost / trim;
        const std::int64_t b_cost = trim == 1 ? b.cost : b.cost / trim;
        return std::make_tuple(a_cost, -a.gain, a.params, a.cost, a.origin.packed()) <
               std::make_tuple(b_cost, -b.gain, b.params, b.cost, b.origin.packed());
    };
    std::sort(candidates.begin(), candidates.end(), order);
    Staircase staircase;
    std::size_t kept = 0;
    for (const Candidate& candidate : candidates) {
        if (staircase.take(candidate.gain, std::max(candidate.params, params_floor)))
            candidates[kept++] = candidate;
    }
    candidates.resize(kept);
    if (trim != 1) {
        std::sort(candidates.begin(), candidates.end(),
                  [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
    }

    Labels labels;
    labels.costs.reserve(kept);
    labels.gains.reserve(kept);
    labels.params.reserve(kept);
    labels.origins.reserve(kept);
    for (const Candidate& candidate : candidates) {
        labels.costs.push_back(candidate.cost);
        labels.gains.push_back(candidate.gain);
        labels.params.push_back(candidate.params);
        labels.origins.push_back(candidate.origin);
    }
    candidates.clear();
    return labels;
}

}  // namespace hacscale::planner
