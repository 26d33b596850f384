#include "models/weights/detail/choose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

#include "base/error.hpp"

namespace hacscale::detail {
namespace {

void check_scores(const std::vector<double>& scores, std::size_t count, const std::string& what) {
    if (scores.size() != count) {
        throw InputError(fmt::format("{} has {} scores, expected {}", what, scores.size(), count));
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!std::isfinite(scores[i]))
            throw InputError(fmt::format("{}: score {} is {}, no number", what, i, scores[i]));
    }
}

// The `kept` with the highest scores, in their order; of equal ones the first.
std::vector<int> best_of(const std::vector<double>& scores, int kept) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, std::ranges::greater(), [&](int i) { return scores[at(i)]; });
    order.resize(at(kept));
    std::ranges::sort(order);
    return order;
}

}  // namespace

UnitLists chosen_units(const Network& base, const std::vector<ChannelGroup>& groups,
                       const std::vector<int>& widths, const WeightSettings& settings) {
    if (!settings.unit_scores.empty() && settings.unit_scores.size() != groups.size()) {
        throw InputError(fmt::format("scores of {} channel groups, the network has {}",
                                     settings.unit_scores.size(), groups.size()));
    }
    const UnitScores own = settings.unit_scores.empty() ? weight_scores(base, groups) : UnitScores();
    const UnitScores& scores = settings.unit_scores.empty() ? own : settings.unit_scores;
    std::mt19937_64 random(settings.seed);
    UnitLists lists;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        const ChannelGroup& group = groups[g];
        const int units = group.units();
        const int wanted = widths[g] / group.multiple;
        if (wanted < units) {
            check_scores(scores[g], at(units), fmt::format("the channel group {}", group.name));
            lists.push_back(best_of(scores[g], wanted));
            continue;
        }
        std::vector<int>& list = lists.emplace_back(at(units));
        std::iota(list.begin(), list.end(), 0);
        std::vector<int> order = list;
        std::ranges::shuffle(order, random);
        for (int i = units; i < wanted; ++i) list.push_back(order[at((i - units) % units)]);
    }
    return lists;
}

std::vector<int> best_blocks(const std::vector<double>& scores, int count, const std::string& repeat) {
    check_scores(scores, scores.size(), fmt::format("the blocks of {}", repeat));
    return best_of(scores, count);
}

}  // namespace hacscale::detail
